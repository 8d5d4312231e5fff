#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace mixtape::data {

/// A sequence of batches, each made by `make(index)`, that a thread of its own makes a few ahead of their use:
///
///     for (const Batch& batch : Prefetch<Batch>(0, count, make)) ...
///
/// Leaving the loop, by break or exception too, stops and joins the thread. If making a batch throws, the loop throws
/// the same when it comes to that batch. `make` runs no ops.
template <class Batch>
class Prefetch {
 public:
  using Make = std::function<Batch(int64_t index)>;

 private:
  struct Item {
    std::optional<Batch> batch;
    std::exception_ptr error;
  };

  // What the two threads share.
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Item> ready;
    int64_t next = 0, last = 0;  // to be made
    size_t ahead = 0;
    bool stopped = false;
    Make make;

    void run() {
      std::unique_lock lock(mutex);
      while (next < last) {
        changed.wait(lock, [&] { return stopped || ready.size() < ahead; });
        if (stopped) return;
        lock.unlock();
        Item item;
        try {
          item.batch = make(next);
        } catch (...) {
          item.error = std::current_exception();
        }
        lock.lock();
        ready.push_back(std::move(item));
        next = ready.back().error ? last : next + 1;
        changed.notify_all();
      }
    }

    std::optional<Batch> take() {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return !ready.empty() || next >= last; });
      if (ready.empty()) return {};
      Item item = std::move(ready.front());
      ready.pop_front();
      changed.notify_all();
      if (item.error) std::rethrow_exception(item.error);
      return std::move(item.batch);
    }
  };

 public:
  /// The batches first, first + 1, .. last - 1, at most `ahead` of them (but one at least) waiting.
  Prefetch(int64_t first, int64_t last, Make make, size_t ahead = 4)
      : shared_(std::make_unique<Shared>()), size_(last > first ? last - first : 0) {
    shared_->next = first;
    shared_->last = last;
    shared_->ahead = ahead > 0 ? ahead : 1;
    shared_->make = std::move(make);
    if (first < last) thread_ = std::thread(&Shared::run, shared_.get());
  }
  ~Prefetch() { stop(); }
  Prefetch(Prefetch&&) noexcept = default;
  Prefetch& operator=(Prefetch&&) = delete;

  /// Number of batches.
  int64_t size() const { return size_; }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Batch;
    using difference_type = int64_t;
    using pointer = const Batch*;
    using reference = const Batch&;

    Iterator() = default;
    explicit Iterator(Shared* shared) : shared_(shared) { ++*this; }
    const Batch& operator*() const { return *batch_; }
    const Batch* operator->() const { return &*batch_; }
    Iterator& operator++() {
      batch_ = shared_->take();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return !batch_; }

   private:
    Shared* shared_ = nullptr;
    std::optional<Batch> batch_;
  };

  Iterator begin() { return Iterator(shared_.get()); }
  std::default_sentinel_t end() const { return {}; }

 private:
  void stop() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->stopped = true;
    }
    shared_->changed.notify_all();
    thread_.join();
  }

  std::unique_ptr<Shared> shared_;
  int64_t size_;
  std::thread thread_;
};

}  // namespace mixtape::data
