package kawal.sinyal.sigmon.radio;

import java.util.Iterator;
import java.util.TreeMap;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** JSON in one form, so that texts can be compared: keys by the alphabet, whole numbers without a fraction. */
final class Json {
  private Json() {}

  static String text(Object value) {
    if (value instanceof JSONObject) {
      TreeMap<String, String> entries = new TreeMap<>();
      for (Iterator<String> keys = ((JSONObject) value).keys(); keys.hasNext(); ) {
        String key = keys.next();
        entries.put(key, text(((JSONObject) value).opt(key)));
      }
      return entries.toString();
    }
    if (value instanceof JSONArray) {
      StringBuilder items = new StringBuilder("[");
      for (int index = 0; index < ((JSONArray) value).length(); index++) items.append(text(((JSONArray) value).opt(index))).append(';');
      return items.append(']').toString();
    }
    return value instanceof Number ? Double.toString(((Number) value).doubleValue()) : value instanceof String ? '"' + (String) value + '"' : String.valueOf(value);
  }

  static JSONObject sample(RadioSample sample) throws JSONException {
    return new JSONObject().put("technology", Cell.orNull(sample.technology())).put("radio", Cell.orNull(sample.radio())).put("sim", Cell.orNull(sample.sim())).put("dropped", sample.dropped());
  }
}
