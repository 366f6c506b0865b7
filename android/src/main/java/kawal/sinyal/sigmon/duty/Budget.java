package kawal.sinyal.sigmon.duty;

/** What the officer lets the duty spend in a day of the order's zone. */
final class Budget {
  /** What a goodbye may cost, over a new connection: kept back, so that the promise before it does not break. */
  private static final int goodbye_bytes = 12_000;

  private Budget() {}

  /** The most that a report may cost, and a goodbye after it. */
  static long cost_bytes(SignedConfig config, boolean hasReach) {
    int targets = !hasReach ? 0 : (config.internet == null ? 0 : 1) + (config.election == null ? 0 : 1);
    return 2 * (Meter.handshake_bytes + 2_000L) + (config.routine + 2) * 1_300L + targets * (Meter.handshake_bytes + 5_000L) + 3_000 + goodbye_bytes;
  }

  /** @param now ms since 1970 */
  static long left_bytes(Standing standing, Store store, long now) {
    String today = Instants.day(now, standing.order.zone);
    return standing.order.dailyBytes - store.spent(today) - (today.equals(standing.orderDay) ? standing.order.spentBytes : 0);
  }
}
