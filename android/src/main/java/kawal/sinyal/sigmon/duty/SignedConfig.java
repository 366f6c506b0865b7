package kawal.sinyal.sigmon.duty;

import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** What duty takes from the signed configuration (`SigmonConfig`, contract/sigmon.ts). */
final class SignedConfig {
  final JSONObject json;
  final long version;
  final long issuedAt;
  final JSONArray keys;
  final long intervalS;
  final double jitterShare;
  final int routine;
  final int timeout_ms;
  final int reachEvery;
  final String internet;
  final String election;

  private SignedConfig(JSONObject json) throws JSONException {
    this.json = json;
    version = json.getLong("version");
    issuedAt = Instants.parse(json.getString("issuedAt"));
    Instants.parse(json.getString("validUntil"));
    keys = json.getJSONArray("keys");
    intervalS = (long) within(json, "intervalS", 30, 3_600);
    jitterShare = within(json, "jitterShare", 0, 0.5);
    within(json, "spreadS", 0, 900);
    JSONObject probes = json.getJSONObject("probes");
    routine = (int) within(probes, "routine", 1, 10);
    timeout_ms = (int) within(probes, "timeoutMs", 500, 30_000);
    reachEvery = (int) within(probes, "reachEvery", 1, 1_000);
    within(json.getJSONObject("budget"), "dailyBytes", 0, Double.MAX_VALUE);
    JSONObject targets = json.getJSONObject("targets");
    internet = targets.isNull("internet") ? null : targets.getString("internet");
    election = targets.isNull("election") ? null : targets.getString("election");
    if (version < 1) throw new IllegalArgumentException("version");
  }

  /** @return null for what a phone would come to harm by: a signed slip must not let a million of them report each second */
  static SignedConfig of(JSONObject json) {
    try {
      return json == null ? null : new SignedConfig(json);
    } catch (JSONException | IllegalArgumentException unsound) {
      return null;
    }
  }

  /** A version never goes back, and neither does an issue of the same version. */
  boolean isOlderThan(SignedConfig held) {
    return version < held.version || (version == held.version && issuedAt < held.issuedAt);
  }

  private static double within(JSONObject object, String name, double low, double high) throws JSONException {
    double value = object.getDouble(name);
    if (!(value >= low && value <= high)) throw new IllegalArgumentException(name);
    return value;
  }
}
