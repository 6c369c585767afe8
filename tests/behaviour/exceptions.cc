// C++: exceptions thrown through calls that Reel stands in front of, cancellation that unwinds
// objects, thread_local destructors that lock, condition variables of the standard library.
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <mutex>
#include <pthread.h>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <unistd.h>
#include <vector>

namespace
{
std::mutex mutex;

struct noisy {
    const char *name;
    ~noisy()
    {
        std::lock_guard<std::mutex> guard(mutex);
        std::printf("destroyed %s\n", name);
    }
};

int by_exception()
{
    std::once_flag flag;
    int tries = 0;
    for (int i = 0; i < 3; i++)
        try {
            std::call_once(flag, [&] {
                tries++;
                if (tries < 2)
                    throw std::runtime_error("first");
            });
        } catch (const std::runtime_error &error) {
            std::printf("caught %s\n", error.what());
        }
    std::printf("tries %d\n", tries);
    try {
        std::lock_guard<std::mutex> guard(mutex);
        throw 5;
    } catch (int number) {
        std::printf("caught %d, free %d\n", number, mutex.try_lock());
        mutex.unlock();
    }
    auto failing = std::async(std::launch::async, []() -> int { throw std::logic_error("there"); });
    try {
        failing.get();
    } catch (const std::logic_error &error) {
        std::printf("from the thread: %s\n", error.what());
    }
    try {
        std::thread().join();
    } catch (const std::system_error &error) {
        std::printf("system error %d\n", error.code().value() == EINVAL);
    }
    return 0;
}

void *cancelled(void *)
{
    noisy outer{"outer"};
    {
        noisy inner{"inner"};
        std::unique_lock<std::mutex> lock(mutex);
        lock.unlock();
        pause();
    }
    return nullptr;
}

int by_cancellation()
{
    pthread_t thread;
    void *result;
    pthread_create(&thread, nullptr, cancelled, nullptr);
    usleep(10000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    std::printf("cancelled %d\n", result == PTHREAD_CANCELED);
    pthread_create(
        &thread, nullptr,
        [](void *) -> void * {
            noisy one{"by exit"};
            pthread_exit(nullptr);
        },
        nullptr);
    pthread_join(thread, nullptr);
    return 0;
}

thread_local noisy of_thread{"thread_local"};

int thread_locals()
{
    std::thread([] { of_thread.name = "thread_local of a thread"; }).join();
    of_thread.name = "thread_local of main";
    return 3;
}

int standard_library()
{
    std::condition_variable condition;
    std::unique_lock<std::mutex> lock(mutex);
    std::printf("%d\n",
                condition.wait_for(lock, std::chrono::milliseconds(3)) == std::cv_status::timeout);
    std::printf("%d\n", condition.wait_until(lock, std::chrono::steady_clock::now()) ==
                            std::cv_status::timeout);
    lock.unlock();
    std::timed_mutex timed;
    std::printf("%d\n", timed.try_lock_for(std::chrono::milliseconds(1)));
    std::shared_timed_mutex shared;
    shared.lock_shared();
    std::printf("%d\n", shared.try_lock_for(std::chrono::milliseconds(1)));
    shared.unlock_shared();
    std::recursive_mutex recursive;
    recursive.lock();
    std::printf("%d\n", recursive.try_lock());
    std::vector<std::thread> threads;
    int sum = 0;
    for (int i = 0; i < 8; i++)
        threads.emplace_back([&] {
            for (int k = 0; k < 1000; k++) {
                std::lock_guard<std::mutex> guard(mutex);
                sum++;
            }
        });
    for (auto &thread : threads)
        thread.join();
    std::promise<int> promise;
    std::thread keeper([&] { promise.set_value(sum); });
    std::printf("%d\n", promise.get_future().get());
    keeper.join();
    return 0;
}

int uncaught()
{
    std::thread([] { throw 1; }).join();
    return 0;
}
} // namespace

int main(int argc, char **argv)
{
    const struct {
        const char *name;
        int (*run)();
    } table[] = {{"exceptions", by_exception},
                 {"cancellation", by_cancellation},
                 {"thread-locals", thread_locals},
                 {"standard-library", standard_library},
                 {"uncaught", uncaught}};
    for (auto &one : table)
        if (argc > 1 && std::strcmp(one.name, argv[1]) == 0)
            return one.run();
    return 99;
}
