package kawal.sinyal.sigmon.duty;

import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** What the page is told of the duty: a `DutyState` (spec/shell.md). */
final class States {
  private static final int newest_max = 30;

  private States() {}

  /**
   * @param unwritten samples for which the disk has no room
   * @param now ms since 1970
   */
  static JSONObject of(Standing standing, Store store, int unwritten, long now) {
    try {
      boolean isOn = standing.isOn;
      String day = standing.order == null ? null : Instants.day(now, standing.order.zone);
      JSONObject counts = new JSONObject().put("made", standing.made).put("sent", standing.sent).put("waiting", store.count("waiting") + unwritten).put("refused", standing.refused);
      boolean isRetrying = standing.retry != null && store.count("waiting") > 0;
      return new JSONObject()
          .put("on", isOn).put("since", isOn ? standing.since : JSONObject.NULL).put("nextDueAt", isOn && standing.nextDueAt > 0 ? standing.nextDueAt : JSONObject.NULL)
          .put("station", isOn ? standing.order.station : JSONObject.NULL)
          .put("sequence", isOn ? new JSONObject().put("next", standing.next).put("to", standing.order.to) : JSONObject.NULL)
          .put("held", isOn && standing.held != null ? standing.held : JSONObject.NULL).put("gap", isOn && standing.gap != null ? standing.gap : JSONObject.NULL)
          .put("counts", counts).put("newest", new JSONArray(store.newest(newest_max)))
          .put("sending", isRetrying ? new JSONObject().put("status", standing.status).put("retryAt", standing.retry.at) : JSONObject.NULL)
          .put("bytesToday", day == null ? 0 : store.spent(day)).put("day", day == null ? JSONObject.NULL : day).put("full", unwritten > 0);
    } catch (JSONException none) {
      throw new IllegalStateException(none);
    }
  }
}
