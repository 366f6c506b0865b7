package kawal.sinyal.sigmon.radio;

import java.text.ParseException;
import java.text.SimpleDateFormat;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** What a sample takes from a reading: the same as readRadio and sampleRadio of core/measurement/radio-reading.ts. */
public final class RadioSample {
  /** Older values are of another place or another hour. */
  private static final long AGE_MS_MAX = 120_000;
  private static final int SLOTS_MAX = 4;
  private static final int CELLS_MAX = 32;
  private static final Pattern INSTANT = Pattern.compile("(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d)(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)");
  /** As JavaScript reads it: a 30th of February is the 2nd of March, a 32nd day is none. */
  private static final Pattern CALENDAR = Pattern.compile("\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d");

  private String technology;
  private JSONObject radio;
  private String sim;
  private boolean airplane;
  private final JSONArray dropped = new JSONArray();

  private RadioSample() {}

  /**
   * @param reading as the bridge gives it; whatever it holds, nothing throws
   * @param now wall clock of the sample, ms since 1970
   */
  public static RadioSample of(JSONObject reading, long now) {
    RadioSample sample = new RadioSample();
    try {
      String source = text(reading.opt("source"));
      Matcher readAt = INSTANT.matcher(reading.opt("readAt") instanceof String ? reading.optString("readAt") : "");
      if (source == null || !source.matches("android|modem|at|officer") || !readAt.matches()) return sample;
      sample.airplane = Boolean.TRUE.equals(reading.opt("airplane"));
      Long bars = whole(reading.opt("bars"), 4);
      if (bars != null) sample.drop("bars", bars, "bars");
      sample.take(source.equals("at") ? "modem" : source, slots(reading.optJSONArray("slots")), instant(readAt), now);
      return sample;
    } catch (JSONException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** @return `gsm`, `umts`, `lte`, `nr`, or null */
  public String technology() {
    return technology;
  }

  /** @return `radio` of spec/report.md, or null where no value may be in a sample */
  public JSONObject radio() {
    return radio;
  }

  /** @return MCC and MNC of the data SIM's operator, else of its network, or null */
  public String sim() {
    return sim;
  }

  public boolean airplane() {
    return airplane;
  }

  /** What was left out, each with `name`, `value` and `why`. */
  JSONArray dropped() {
    return dropped;
  }

  private void take(String source, List<ReadSlot> slots, Long readAt, long now) throws JSONException {
    ReadSlot slot = dataSlot(slots);
    if (slot != null) sim = slot.simPlmn == null ? slot.plmn : slot.simPlmn;
    String why = airplane ? "airplane" : slot == null ? "data_sim_unknown" : null;
    ReadCell cell = why == null ? registered(slot) : null;
    if (why == null && cell == null) why = "not_registered";
    if (why == null && (cell.ageMs == null || readAt == null)) why = "age_unknown";
    long age = why == null ? cell.ageMs + Math.max(0, now - readAt) : 0;
    if (why == null && age > AGE_MS_MAX) why = "stale";
    if (why != null) {
      for (ReadSlot each : slots) if (slot == null || each == slot) for (ReadCell left : each.cells) if (!Boolean.FALSE.equals(left.registered) || Boolean.TRUE.equals(left.secondary)) dropAll(left, why);
      return;
    }
    technology = cell.technology;
    JSONObject kept = keep(cell);
    for (ReadCell each : slot.cells) if (each != cell && Boolean.TRUE.equals(each.secondary)) dropAll(each, "secondary");
    if (kept.length() == 0) return;
    radio = new JSONObject().put("source", source).put("ageMs", age);
    for (String field : new String[] {"rsrpDbm", "rsrqDb", "sinrDb", "rssiDbm"}) radio.put(field, kept.has(field) ? kept.get(field) : JSONObject.NULL);
  }

  private JSONObject keep(ReadCell cell) throws JSONException {
    JSONObject kept = new JSONObject();
    for (String name : Scales.LEVELS) {
      Number value = cell.levels.get(name);
      if (value == null) continue;
      String field = field(cell.technology, name);
      if (cell.invalid.contains(name)) drop(cell.technology + ' ' + name, value, "out_of_range");
      else if (cell.below.contains(name)) drop(cell.technology + ' ' + name, value, "censored");
      else if (field == null) drop(cell.technology + ' ' + name, value, "no_field");
      else kept.put(field, value);
    }
    return kept;
  }

  private void dropAll(ReadCell cell, String why) throws JSONException {
    for (String name : Scales.LEVELS) if (cell.levels.get(name) != null) drop(cell.technology + ' ' + name, cell.levels.get(name), why);
  }

  private void drop(String name, Number value, String why) throws JSONException {
    dropped.put(new JSONObject().put("name", name).put("value", value).put("why", why));
  }

  /** UMTS has one place in a sample, and RSCP takes it: a pilot's power is what tells coverage. */
  private static String field(String technology, String name) {
    if (technology.equals("umts")) return name.equals("rscpDbm") ? "rssiDbm" : null;
    return name.equals("rscpDbm") || name.equals("ecioDb") ? null : name;
  }

  /** The one that carries data; where none is named, the only one of which that is not known. */
  private static ReadSlot dataSlot(List<ReadSlot> slots) {
    List<ReadSlot> named = new ArrayList<>();
    List<ReadSlot> unnamed = new ArrayList<>();
    for (ReadSlot slot : slots) if (Boolean.TRUE.equals(slot.dataSim)) named.add(slot); else if (slot.dataSim == null) unnamed.add(slot);
    List<ReadSlot> candidates = named.isEmpty() ? unnamed : named;
    return candidates.size() == 1 ? candidates.get(0) : null;
  }

  private static ReadCell registered(ReadSlot slot) {
    List<ReadCell> untold = new ArrayList<>();
    for (ReadCell cell : slot.cells) {
      if (Boolean.TRUE.equals(cell.registered)) return cell;
      if (cell.registered == null && !Boolean.TRUE.equals(cell.secondary)) untold.add(cell);
    }
    return untold.size() == 1 ? untold.get(0) : null;
  }

  private static final class ReadSlot {
    Boolean dataSim;
    String plmn;
    String simPlmn;
    final List<ReadCell> cells = new ArrayList<>();
  }

  private static final class ReadCell {
    String technology;
    Boolean registered;
    Boolean secondary;
    Long ageMs;
    final Map<String, Number> levels = new HashMap<>();
    final Set<String> invalid = new HashSet<>();
    final Set<String> below = new HashSet<>();
  }

  private static List<ReadSlot> slots(JSONArray given) {
    List<ReadSlot> slots = new ArrayList<>();
    for (int index = 0; given != null && index < given.length() && slots.size() < SLOTS_MAX; index++) {
      JSONObject told = given.optJSONObject(index);
      if (told == null) continue;
      ReadSlot slot = new ReadSlot();
      slot.dataSim = flag(told.opt("dataSim"));
      slot.plmn = Sims.plmn(text(told.opt("plmn")));
      slot.simPlmn = Sims.plmn(text(told.opt("simPlmn")));
      JSONArray cells = told.optJSONArray("cells");
      for (int place = 0; cells != null && place < Math.min(CELLS_MAX, cells.length()); place++) {
        ReadCell cell = cells.optJSONObject(place) == null ? null : cell(cells.optJSONObject(place));
        if (cell != null) slot.cells.add(cell);
      }
      slots.add(slot);
    }
    return slots;
  }

  private static ReadCell cell(JSONObject given) {
    ReadCell cell = new ReadCell();
    cell.technology = text(given.opt("technology"));
    if (!Scales.TECHNOLOGIES.contains(cell.technology)) return null;
    cell.registered = flag(given.opt("registered"));
    cell.secondary = flag(given.opt("secondary"));
    cell.ageMs = whole(given.opt("ageMs"), Scales.AGE_MS_MAX);
    JSONObject ends = given.optJSONObject("censored");
    for (String name : Scales.LEVELS) {
      if (ends != null && "below".equals(ends.opt(name))) cell.below.add(name);
      Object value = given.opt(name);
      if (!(value instanceof Number) || Scales.isUnknown(name, ((Number) value).doubleValue())) continue;
      double number = ((Number) value).doubleValue();
      double[] range = Scales.range(cell.technology, name);
      if (range == null || ((number < range[0] || number > range[1]) && !cell.below.contains(name))) cell.invalid.add(name);
      cell.levels.put(name, (Number) value);
    }
    return cell;
  }

  private static Boolean flag(Object given) {
    return given instanceof Boolean ? (Boolean) given : null;
  }

  private static String text(Object given) {
    return given instanceof String ? (String) given : null;
  }

  private static Long whole(Object given, long max) {
    if (!(given instanceof Number)) return null;
    double value = ((Number) given).doubleValue();
    return value == Math.rint(value) && value >= 0 && value <= max ? Long.valueOf((long) value) : null;
  }

  /** @return ms since 1970, or null for a day that no calendar has */
  private static Long instant(Matcher told) {
    if (!CALENDAR.matcher(told.group(1)).matches()) return null;
    try {
      SimpleDateFormat format = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss", Locale.ROOT);
      format.setTimeZone(TimeZone.getTimeZone("UTC"));
      long whole = format.parse(told.group(1)).getTime();
      long fraction = told.group(2) == null ? 0 : Long.parseLong((told.group(2) + "00").substring(1, 4));
      String zone = told.group(3);
      int minutes = zone.equals("Z") ? 0 : Integer.parseInt(zone.substring(1, 3)) * 60 + Integer.parseInt(zone.substring(4));
      return whole + fraction - (zone.startsWith("-") ? -1 : 1) * minutes * 60_000L;
    } catch (ParseException odd) {
      return null;
    }
  }
}
