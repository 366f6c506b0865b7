package kawal.sinyal.sigmon.duty;

import java.util.Arrays;
import java.util.TimeZone;
import org.json.JSONException;
import org.json.JSONObject;

/** A `DutyOrder` (spec/shell.md), held against its form. */
final class Order {
  final JSONObject json;
  final String station;
  final String zone;
  final String token;
  final long from;
  final long to;
  final String sim;
  final String accessPoint;
  final SignedConfig config;
  final long dailyBytes;
  final long spentBytes;
  final String language;

  /** @throws IllegalArgumentException with a sentence that says what is wrong */
  Order(JSONObject json) {
    this.json = json;
    try {
      station = json.getString("station");
      zone = json.getString("zone");
      token = json.getString("token");
      from = json.getJSONObject("sequence").getLong("from");
      to = json.getJSONObject("sequence").getLong("to");
      sim = json.isNull("sim") ? null : json.getString("sim");
      accessPoint = json.isNull("accessPoint") ? null : json.getString("accessPoint");
      config = SignedConfig.of(json.getJSONObject("config"));
      json.getJSONArray("keys");
      dailyBytes = json.getJSONObject("budget").getLong("dailyBytes");
      spentBytes = json.getJSONObject("budget").getLong("spentBytes");
      language = json.getString("language");
    } catch (JSONException wrong) {
      throw new IllegalArgumentException("The order of duty lacks a field or has another form: " + wrong.getMessage() + ".");
    }
    require(station.matches("[0-9]{13}"), "The station of the order is not 13 digits: " + station + ".");
    require(zone.equals("UTC") || Arrays.asList(TimeZone.getAvailableIDs()).contains(zone), "The phone does not know the zone of the order: " + zone + ".");
    require(token.matches("[!-~]{1,2000}"), "The token of the order is empty, or has signs that no header may have.");
    require(from >= 1 && to >= from && to <= Integer.MAX_VALUE, "The block of sequences runs from " + from + " to " + to + ": it has to lie within 1 to 2147483647.");
    require(sim == null || sim.matches("[0-9]{5,6}"), "The SIM of the order is not 5 or 6 digits: " + sim + ".");
    require(accessPoint == null || accessPoint.length() <= 64, "The access point of the order has more than 64 signs.");
    require(config != null, "The configuration of the order is not of its form, or past its bounds.");
    require(json.isNull("intervalS") || (json.optLong("intervalS") >= 1 && json.optLong("intervalS") <= 86_400), "The interval of the order lies outside 1 s to a day.");
    require(dailyBytes >= 0 && spentBytes >= 0, "The budget of the order is below zero.");
    require(language.equals("id") || language.equals("en"), "The language of the order is neither id nor en: " + language + ".");
  }

  private static void require(boolean holds, String fault) {
    if (!holds) throw new IllegalArgumentException(fault);
  }
}
