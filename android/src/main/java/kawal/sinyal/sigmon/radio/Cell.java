package kawal.sinyal.sigmon.radio;

import java.util.HashMap;
import java.util.Map;
import org.json.JSONException;
import org.json.JSONObject;

/** One cell as the phone told of it. What is not known is not in it. */
final class Cell {
  final String technology;
  boolean registered;
  /** Carries data beside the registered cell; null where the phone does not say. */
  Boolean secondary;
  /** MCC and MNC that the cell sends out, or null: neighbours have none. */
  String plmn;
  /** When the values were measured, ms since the phone was switched on; 0 where it is not known. */
  long at;
  private final Map<String, Number> values = new HashMap<>();

  Cell(String technology) {
    this.technology = technology;
  }

  /** A level in dBm or dB, kept as it came unless it is a sentinel: the reader judges whether it can be. */
  Cell level(String name, double value) {
    if (!Scales.isUnknown(name, value)) values.put(name, value == Math.rint(value) ? (Number) (int) value : (Number) value);
    return this;
  }

  /** The number of an area, cell or channel, unless none has it. */
  Cell identity(String name, long value) {
    if (value >= 0 && value <= Scales.highest(technology, name)) values.put(name, value);
    return this;
  }

  boolean hasLevels() {
    for (String name : Scales.LEVELS) if (values.containsKey(name)) return true;
    return false;
  }

  /** Whether the slot stands on it: registered, and not beside another. */
  boolean serves() {
    return registered && !Boolean.TRUE.equals(secondary);
  }

  void becomeSecondary() {
    registered = false;
    secondary = true;
  }

  /** Whether both tell of one cell: the same numbers, or, where there are none, the same measurement. */
  boolean isDoubleOf(Cell other) {
    if (!technology.equals(other.technology)) return false;
    for (String name : Scales.IDENTITIES) if (!same(values.get(name), other.values.get(name))) return false;
    return values.containsKey("cellId") || values.containsKey("pci") || (at == other.at && values.equals(other.values));
  }

  /** Whether both are one measurement, told twice. */
  boolean isSameMeasurement(Cell other) {
    return at == other.at && registered == other.registered && technology.equals(other.technology) && values.equals(other.values);
  }

  /** @param elapsed the phone's own clock at the reading, ms */
  JSONObject told(long elapsed) throws JSONException {
    JSONObject told = new JSONObject();
    told.put("registered", registered);
    if (secondary != null) told.put("secondary", secondary);
    told.put("technology", technology);
    for (String name : Scales.LEVELS) told.put(name, orNull(values.get(name)));
    for (String name : Scales.IDENTITIES) told.put(name, orNull(values.get(name)));
    boolean isKnown = at > 0 && at <= elapsed && elapsed - at <= Scales.AGE_MS_MAX;
    return told.put("ageMs", isKnown ? (Object) (elapsed - at) : JSONObject.NULL);
  }

  static Object orNull(Object value) {
    return value == null ? JSONObject.NULL : value;
  }

  private static boolean same(Object one, Object other) {
    return one == null ? other == null : one.equals(other);
  }
}
