package kawal.sinyal.sigmon.duty;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What lines have cost, bytes both ways as a data plan counts them. What is carried is known to the byte; what TLS adds, and
 * the handshakes, by figures that DutyDay holds against a counting proxy. Android's own count (TrafficStats) is of the whole
 * app, the page included, which counts for itself.
 */
final class Meter {
  /** TLS 1.3 with a hybrid key share and a chain of three certificates: sigmon/src/check/cost.ts. */
  static final int handshake_bytes = 8_000;
  /** A record's head, its type and its tag (RFC 8446, 5.2). */
  private static final int record_bytes = 22;
  /** TCP and IP add about this to small packets too: two packets of 52 bytes at each turn would be half, but acknowledgements ride along. */
  private static final double packets_share = 1.06;
  private final AtomicLong carried = new AtomicLong();

  void handshake() {
    carried.addAndGet(handshake_bytes);
  }

  void carry(int bytes, boolean isSecure) {
    if (bytes > 0) carried.addAndGet(bytes + (isSecure ? record_bytes : 0));
  }

  /** @return what was carried since it was last asked */
  long take() {
    return (long) Math.ceil(carried.getAndSet(0) * packets_share);
  }
}
