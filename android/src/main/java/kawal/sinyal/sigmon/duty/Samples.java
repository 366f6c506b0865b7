package kawal.sinyal.sigmon.duty;

import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** Samples as spec/report.md has them, without their number. */
final class Samples {
  private Samples() {}

  /**
   * @param radio `technology`, `radio`, `sim` of the radio; the officer's word on the SIM comes first
   * @param found null: nothing was probed
   * @param promise ms since 1970; 0 promises none
   */
  static JSONObject report(Order order, long now, JSONObject radio, Routine.Found found, String access, Boolean isCharging, long promise) throws JSONException {
    JSONArray rttMs = new JSONArray();
    if (found != null) for (int i = 0; i < Math.min(20, found.rttMs.size()); i++) rttMs.put((double) found.rttMs.get(i));
    JSONObject reach = new JSONObject().put("internet", found == null ? "untested" : found.internet).put("election", found == null ? "untested" : found.election).put("platform", found == null ? "untested" : found.platform);
    Object sim = order.sim == null ? radio.opt("sim") : order.sim;
    return new JSONObject()
        .put("eventAt", Instants.text(now)).put("sim", or(sim)).put("access", access).put("accessPoint", or(order.accessPoint)).put("technology", or(radio.opt("technology"))).put("radio", or(radio.opt("radio")))
        .put("rttMs", rttMs).put("timeouts", found == null ? 0 : found.timeouts).put("downKbps", JSONObject.NULL).put("upKbps", JSONObject.NULL).put("reach", reach)
        .put("charging", or(isCharging)).put("nextDueAt", promise == 0 ? JSONObject.NULL : Instants.text(promise));
  }

  /** It measured nothing, and says so: old figures under a new time would be false. */
  static JSONObject goodbye(Order order, long now, String access) throws JSONException {
    return report(order, now, new JSONObject(), null, access.equals("none") ? "none" : "unknown", null, 0);
  }

  private static Object or(Object value) {
    return value == null ? JSONObject.NULL : value;
  }
}
