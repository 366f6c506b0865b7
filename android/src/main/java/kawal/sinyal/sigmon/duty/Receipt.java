package kawal.sinyal.sigmon.duty;

import java.util.HashMap;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** What the platform answers to a batch: it has all of it, and says which samples it put in quarantine. */
final class Receipt {
  /** By the place in the batch: code and detail. */
  final Map<Integer, String> quarantined = new HashMap<>();
  final long nextIntervalS;

  Receipt(long nextIntervalS) {
    this.nextIntervalS = nextIntervalS;
  }

  /** @return null for a text that is no receipt, as a portal's page */
  static Receipt of(String json) {
    try {
      JSONObject body = new JSONObject(json);
      body.getInt("accepted");
      Receipt receipt = new Receipt(body.getLong("nextIntervalS"));
      JSONArray rows = body.getJSONArray("quarantined");
      for (int i = 0; i < rows.length(); i++) {
        JSONObject row = rows.getJSONObject(i);
        receipt.quarantined.put(row.getInt("index"), row.getString("code") + ": " + row.getString("detail"));
      }
      return receipt;
    } catch (JSONException none) {
      return null;
    }
  }
}
