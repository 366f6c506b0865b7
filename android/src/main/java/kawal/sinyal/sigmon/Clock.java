package kawal.sinyal.sigmon;

import android.os.SystemClock;

/** Time as an argument, so that a test turns it by hand. */
public interface Clock {
  /** Wall clock, ms since 1970. The officer may set it. */
  long now();

  /** Never jumps and goes on while the phone sleeps, ms since it was switched on. */
  long elapsed();

  Clock SYSTEM = new Clock() {
    @Override public long now() {
      return System.currentTimeMillis();
    }

    @Override public long elapsed() {
      return SystemClock.elapsedRealtime();
    }
  };
}
