package kawal.sinyal.sigmon.duty;

import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** Where the duty stands, as it is kept on disk. A change is made on a copy, and holds when that is written. */
final class Standing {
  boolean isOn;
  /** ms since 1970, of the start. */
  long since;
  Due end;
  Order order;
  /** The day on which the order came, on which what the page had spent counts. */
  String orderDay = "";
  long next;
  /** A promise is open: a report was kept since the last goodbye. */
  boolean hasPromised;
  /** A goodbye is kept that the platform may not have yet: it goes also past the budget. */
  boolean isLeaving;
  /** When the next turn is; null: none. */
  Due due;
  /** What is shown and promised for it, ms since 1970; 0: none. */
  long nextDueAt;
  /** How late Android woke us lately, ms: the next promise allows for as much. */
  long late_ms;
  int count;
  /** Null, or a word of `DutyState`. */
  String held;
  String gap;
  SignedConfig config;
  JSONArray keys = new JSONArray();
  String etag = "";
  /** When the configuration was last asked for; ms since 1970. */
  long configAt;
  /** As the last receipt said; 0: the configuration's. */
  long intervalS;
  long serverTime;
  String quality = "unknown";
  long made;
  long sent;
  long refused;
  int attempt;
  int status;
  Due retry;
  Due quiet;

  long interval_ms() {
    return (intervalS > 0 ? intervalS : config.intervalS) * 1000;
  }

  Standing copy() {
    return of(json());
  }

  JSONObject json() {
    try {
      return new JSONObject()
          .put("isOn", isOn).put("since", since).put("end", end == null ? null : end.json()).put("order", order == null ? null : order.json).put("orderDay", orderDay).put("next", next)
          .put("hasPromised", hasPromised).put("isLeaving", isLeaving).put("due", due == null ? null : due.json()).put("nextDueAt", nextDueAt).put("late_ms", late_ms).put("count", count).put("held", held).put("gap", gap)
          .put("config", config == null ? null : config.json).put("keys", keys).put("etag", etag).put("configAt", configAt).put("intervalS", intervalS).put("serverTime", serverTime).put("quality", quality)
          .put("made", made).put("sent", sent).put("refused", refused).put("attempt", attempt).put("status", status)
          .put("retry", retry == null ? null : retry.json()).put("quiet", quiet == null ? null : quiet.json());
    } catch (JSONException none) {
      throw new IllegalStateException(none);
    }
  }

  static Standing of(JSONObject json) {
    Standing standing = new Standing();
    standing.isOn = json.optBoolean("isOn");
    standing.since = json.optLong("since");
    standing.end = Due.of(json.optJSONObject("end"));
    standing.order = json.has("order") ? new Order(json.optJSONObject("order")) : null;
    standing.orderDay = json.optString("orderDay");
    standing.next = json.optLong("next");
    standing.hasPromised = json.optBoolean("hasPromised");
    standing.isLeaving = json.optBoolean("isLeaving");
    standing.due = Due.of(json.optJSONObject("due"));
    standing.nextDueAt = json.optLong("nextDueAt");
    standing.late_ms = json.optLong("late_ms");
    standing.count = json.optInt("count");
    standing.held = json.has("held") ? json.optString("held") : null;
    standing.gap = json.has("gap") ? json.optString("gap") : null;
    standing.config = SignedConfig.of(json.optJSONObject("config"));
    standing.keys = json.has("keys") ? json.optJSONArray("keys") : new JSONArray();
    standing.etag = json.optString("etag");
    standing.configAt = json.optLong("configAt");
    standing.intervalS = json.optLong("intervalS");
    standing.serverTime = json.optLong("serverTime");
    standing.quality = json.optString("quality", "unknown");
    standing.made = json.optLong("made");
    standing.sent = json.optLong("sent");
    standing.refused = json.optLong("refused");
    standing.attempt = json.optInt("attempt");
    standing.status = json.optInt("status");
    standing.retry = Due.of(json.optJSONObject("retry"));
    standing.quiet = Due.of(json.optJSONObject("quiet"));
    return standing;
  }
}
