#pragma once

namespace mixtape::examples {

/// While in scope, the first Ctrl-C (SIGINT) or SIGTERM only sets a flag, so that a loop can stop cleanly:
///
///     Interrupt interrupt;
///     while (step < steps && !interrupt.requested()) train_step();
///     save();
///
/// A second signal ends the process at once with exit code 130, without destructors. Signals that were ignored when the
/// process started (nohup, background jobs of a script) remain ignored. The end of the scope restores the previous
/// handlers. A second Interrupt at the same time throws.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// True once a signal has arrived.
  bool requested() const { return signal() != 0; }

  /// The signal that arrived, SIGINT or SIGTERM; 0 if none did.
  int signal() const;
};

}  // namespace mixtape::examples
