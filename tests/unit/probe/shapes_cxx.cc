extern "C" {
#include "tests/unit/probe/shapes.h"
}

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace
{
struct base {
    virtual ~base() = default;
    virtual void call(shape_leaf leaf) = 0;
};

struct derived : base {
    std::string text = "some text that is long enough for the heap";
    void call(shape_leaf leaf) override
    {
        std::vector<int> numbers{3, 1, 2};
        std::sort(numbers.begin(), numbers.end(), [&](int a, int b) {
            leaf();
            return a < b;
        });
    }
};

void virtually(shape_leaf leaf)
{
    std::unique_ptr<base> object(new derived);
    object->call(leaf);
}

void in_handlers(shape_leaf leaf)
{
    struct guard {
        shape_leaf leaf;
        ~guard()
        {
            leaf();
        }
    };
    try {
        guard one{leaf};
        throw std::string("thrown");
    } catch (const std::string &) {
        leaf();
    }
}

void functions(shape_leaf leaf)
{
    std::function<void(int)> nest = [&](int depth) {
        if (depth)
            nest(depth - 1);
        else
            leaf();
    };
    nest(8);
}
} // namespace

extern "C" const struct shape shapes_cxx[] = {{"virtual", virtually},
                                              {"exceptions", in_handlers},
                                              {"functions", functions},
                                              {nullptr, nullptr}};
