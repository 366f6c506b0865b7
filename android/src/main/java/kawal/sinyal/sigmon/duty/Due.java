package kawal.sinyal.sigmon.duty;

import kawal.sinyal.sigmon.Clock;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * An instant that something waits for. It is told by the wall clock, which the officer or the network may set at any time, and
 * waited for by the clock that never jumps, as long as the phone has not been switched off meanwhile.
 */
final class Due {
  /** Further ahead than this, the wall clock was set back. */
  private static final long ahead_ms_max = 24 * 3_600_000L;
  /** By the wall clock, ms since 1970. */
  final long at;
  private final long elapsed;
  private final int boots;

  private Due(long at, long elapsed, int boots) {
    this.at = at;
    this.elapsed = elapsed;
    this.boots = boots;
  }

  static Due in(long ms, Clock clock, int boots) {
    return new Due(clock.now() + ms, clock.elapsed() + ms, boots);
  }

  /** @return ms from now, 0 when it is past */
  long left(Clock clock, int boots_now) {
    if (boots == boots_now) return Math.max(0, elapsed - clock.elapsed());
    long left = at - clock.now();
    return left > ahead_ms_max ? 0 : Math.max(0, left);
  }

  JSONObject json() throws JSONException {
    return new JSONObject().put("at", at).put("elapsed", elapsed).put("boots", boots);
  }

  static Due of(JSONObject json) {
    return json == null ? null : new Due(json.optLong("at"), json.optLong("elapsed"), json.optInt("boots"));
  }
}
