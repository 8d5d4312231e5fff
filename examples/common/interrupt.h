#pragma once

namespace mixtape::examples {

/// While one is in scope, the first Ctrl-C (SIGINT) or SIGTERM only sets a flag, for a loop that stops in good order:
///
///     Interrupt interrupt;
///     while (step < steps && !interrupt.requested()) train_step();
///     save();
///
/// A second signal ends the process at once with exit code 130, without destructors. A signal that the process was
/// started to ignore (nohup, background jobs of a script) stays ignored. Leaving the scope restores the former
/// handlers. One at a time: a second one throws.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// True once a signal has come.
  bool requested() const { return signal() != 0; }

  /// The number of the signal that came, SIGINT or SIGTERM; 0 if none did.
  int signal() const;
};

}  // namespace mixtape::examples
