// What only C++ does.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "races.h"

namespace
{

template <class First, class Second> void apart(First first, Second second)
{
    std::thread b([&] {
        pause_ms(5);
        second();
    });
    std::thread a(first);
    a.join();
    b.join();
}

// The initialisation of a local static is ordered by the language; one of our own is not.
struct settings {
    int value = 5;
};
settings *by_hand;
volatile int seen;

int local_static()
{
    static settings *instance = new settings;
    return instance->value;
}

int own_static()
{
    if (!by_hand)
        by_hand = new settings;
    return by_hand->value;
}

void static_initialisation(bool guilty)
{
    auto use = [guilty] {
        volatile int value = guilty ? own_static() : local_static();
        (void)value;
    };
    apart(use, use);
}

// A destructor sets the virtual pointer back while another thread calls.
struct base {
    virtual int call()
    {
        return 1;
    }
    virtual ~base()
    {
        pause_ms(10);
    }
};
struct derived : base {
    int call() override
    {
        return 2;
    }
    ~derived() override
    {
        pause_ms(10);
    }
};

void virtual_pointer(bool guilty)
{
    base *object = new derived;
    std::thread caller([object] { (void)object->call(); });
    if (!guilty)
        caller.join();
    pause_ms(5);
    delete object;
    if (guilty)
        caller.join();
}

std::vector<int> numbers;
std::mutex numbers_lock;

void vector_growth(bool guilty)
{
    auto add = [guilty] {
        std::unique_lock<std::mutex> hold(numbers_lock, std::defer_lock);
        if (!guilty)
            hold.lock();
        for (int i = 0; i < 10; i++)
            numbers.push_back(i);
    };
    apart(add, add);
}

// Copies of a shared_ptr may go anywhere; the object behind it needs a lock of its own.
void shared_pointer(bool guilty)
{
    auto object = std::make_shared<int>(0);
    auto use = [copy = object, guilty]() mutable {
        if (guilty)
            ++*copy;
        copy.reset();
    };
    auto other = use; // before the first thread: copying hears who has dropped a copy
    std::thread a(std::move(use)), b(std::move(other));
    object.reset();
    a.join();
    b.join();
}

std::vector<int> message;
std::atomic<bool> written;

void vector_publication(bool guilty)
{
    apart(
        [guilty] {
            message.push_back(1);
            written.store(true, guilty ? std::memory_order_relaxed : std::memory_order_release);
        },
        [guilty] {
            while (!written.load(guilty ? std::memory_order_relaxed : std::memory_order_acquire))
                ;
            seen = (int)message.size();
        });
}

std::once_flag flag;
int prepared;

void call_once_only(bool guilty)
{
    auto use = [guilty] {
        if (guilty)
            prepared = 1;
        else
            std::call_once(flag, [] { prepared = 1; });
        volatile int value = prepared;
        (void)value;
    };
    apart(use, use);
}

// Exceptions leave functions early: the stacks stay right, and so do the verdicts.
int thrown;

__attribute__((noinline)) void fail(int depth)
{
    if (depth == 0)
        throw 1;
    fail(depth - 1);
}

void exceptions(bool guilty)
{
    auto use = [guilty] {
        static std::mutex lock;
        for (int i = 0; i < 20; i++)
            try {
                fail(10);
            } catch (int) {
                std::unique_lock<std::mutex> hold(lock, std::defer_lock);
                if (!guilty)
                    hold.lock();
                thrown++;
            }
    };
    apart(use, use);
}

// Memory that new asks for is named by who wrote the new, through operator new[], and through the
// library's headers. What the operators throw, they throw here too.
struct account {
    int number = 0;
    long total = 0;
};
account *volatile accounts;
std::vector<account> ledger;
volatile std::size_t far_too_many = std::size_t(1) << 58;

void made_by_new(bool guilty)
{
    static std::mutex lock;
    try {
        accounts = new account[far_too_many];
        std::abort();
    } catch (const std::bad_alloc &) {
        accounts = new account[5];
    }
    auto pay = [guilty] {
        std::unique_lock<std::mutex> hold(lock, std::defer_lock);
        if (!guilty)
            hold.lock();
        accounts[3].total++;
    };
    apart(pay, pay);
    delete[] accounts;
}

void made_by_vector(bool guilty)
{
    static std::mutex lock;
    ledger.resize(4);
    auto pay = [guilty] {
        std::unique_lock<std::mutex> hold(lock, std::defer_lock);
        if (!guilty)
            hold.lock();
        ledger[2].total++;
    };
    apart(pay, pay);
    ledger.clear();
}

void made_shared(bool guilty)
{
    static std::mutex lock;
    auto shared = std::make_shared<account>();
    auto pay = [guilty, &shared] {
        std::unique_lock<std::mutex> hold(lock, std::defer_lock);
        if (!guilty)
            hold.lock();
        shared->total++;
    };
    apart(pay, pay);
}

} // namespace

extern "C" const struct race_case cxx_cases[] = {
    {"made-by-new", "account[3].total of the block allocated at", made_by_new},
    {"made-shared", "account.total of the block allocated at", made_shared},
    {"made-by-vector", "account[2].total of the block allocated at", made_by_vector},
    {"static-initialisation", "by_hand", static_initialisation},
    {"virtual-pointer", "", virtual_pointer},
    {"vector-growth", "numbers", vector_growth},
    {"shared-pointer", "", shared_pointer},
    {"vector-publication", "message", vector_publication},
    {"call-once", "prepared", call_once_only},
    {"exceptions", "thrown", exceptions},
    {nullptr, nullptr, nullptr},
};

int main(int argc, char **argv)
{
    const struct race_case *const tables[] = {cxx_cases, nullptr};
    return run_cases(argc, argv, tables);
}
