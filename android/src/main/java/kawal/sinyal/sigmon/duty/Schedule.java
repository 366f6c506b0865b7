package kawal.sinyal.sigmon.duty;

import java.util.Random;

/** When a phone does what a million others do too: core/measurement/schedule.ts, where the reasons stand. All times in ms. */
final class Schedule {
  private Schedule() {}

  static long nextDue(long now, long interval_ms, double jitterShare, Random random) {
    double share = Math.min(0.5, Math.max(0, jitterShare));
    return now + Math.max(1, Math.round(interval_ms * (1 + share * (2 * random.nextDouble() - 1))));
  }

  /** Anywhere in one interval: nearly all officers begin in the same minute. */
  static long firstDue(long now, long interval_ms, Random random) {
    return now + Math.max(1, Math.round(interval_ms * random.nextDouble()));
  }

  /** @param attempt failures in a row so far, from 1 */
  static long backoff(int attempt, long base_ms, long cap_ms, Random random) {
    double bound_ms = Math.min(cap_ms, base_ms * Math.pow(2, Math.min(30, Math.max(0, attempt - 1))));
    return (long) Math.floor(bound_ms * random.nextDouble());
  }
}
