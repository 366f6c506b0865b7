package kawal.sinyal.sigmon.duty;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** The compact form of reports: each field has its place (spec/report.md, "The compact form"; contract/compact.ts). */
final class Compact {
  static final String type = "application/cbor";
  private static final List<String> access = Arrays.asList("cellular", "wifi", "wired", "none", "unknown");
  private static final List<String> technologies = Arrays.asList("gsm", "umts", "lte", "nr");
  private static final List<String> reaches = Arrays.asList("ok", "timeout", "offline", "portal", "http_error", "wrong_clock", "untested");
  private static final String[] levels = {"rsrpDbm", "rsrqDb", "sinrDb", "rssiDbm"};

  private Compact() {}

  /**
   * @param sentAt ms since 1970; null leaves it out
   * @param samples as JSON has them
   */
  static byte[] batch(String station, Long sentAt, List<JSONObject> samples) throws JSONException {
    List<Object> rows = new ArrayList<>();
    for (JSONObject sample : samples) rows.add(row(sample));
    return Cbor.encode(Arrays.asList((Object) 1, Long.parseLong(station), sentAt, rows));
  }

  private static List<Object> row(JSONObject sample) throws JSONException {
    long eventAt = Instants.parse(sample.getString("eventAt"));
    JSONObject reach = sample.getJSONObject("reach");
    int words = reaches.indexOf(reach.getString("internet")) * 100 + reaches.indexOf(reach.getString("election")) * 10 + reaches.indexOf(reach.getString("platform"));
    Object technology = of(sample, "technology");
    Object due = of(sample, "nextDueAt");
    return Arrays.asList(
        sample.getLong("sequence"), eventAt, of(sample, "sim"), access.indexOf(sample.getString("access")), of(sample, "accessPoint"),
        technology == null ? null : (Object) technologies.indexOf(technology), radio(sample.optJSONObject("radio")), tenths(sample.getJSONArray("rttMs")), sample.getInt("timeouts"),
        of(sample, "downKbps"), of(sample, "upKbps"), words, of(sample, "charging"), due == null ? null : (Object) (Instants.parse((String) due) - eventAt));
  }

  private static List<Object> tenths(JSONArray rttMs) throws JSONException {
    List<Object> list = new ArrayList<>();
    for (int i = 0; i < rttMs.length(); i++) list.add(Math.max(1, Math.round(rttMs.getDouble(i) * 10)));
    return list;
  }

  private static List<Object> radio(JSONObject radio) throws JSONException {
    if (radio == null) return null;
    List<Object> list = new ArrayList<>(Arrays.asList((Object) radio.getString("source"), radio.getLong("ageMs")));
    for (String level : levels) list.add(of(radio, level));
    if (radio.has("bars")) list.add(radio.getInt("bars"));
    return list;
  }

  private static Object of(JSONObject object, String name) {
    return object.isNull(name) ? null : object.opt(name);
  }

  /** @return null for bytes that are no receipt */
  static Receipt receipt(byte[] bytes) {
    try {
      List<?> body = (List<?>) Cbor.decode(bytes);
      Receipt receipt = new Receipt((Long) body.get(3));
      if ((Long) body.get(0) < 0 || (Long) body.get(1) < 0) return null;
      for (Object each : (List<?>) body.get(2)) {
        List<?> row = (List<?>) each;
        receipt.quarantined.put(((Long) row.get(0)).intValue(), row.get(1) + ": " + row.get(2));
      }
      return receipt;
    } catch (IllegalArgumentException | ClassCastException | IndexOutOfBoundsException | NullPointerException none) {
      return null;
    }
  }
}
