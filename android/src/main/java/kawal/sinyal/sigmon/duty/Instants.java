package kawal.sinyal.sigmon.duty;

import java.text.ParseException;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.Locale;
import java.util.TimeZone;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Instants as texts (RFC 3339) and days of a zone. Android 7 has no java.time. */
final class Instants {
  private static final Pattern form = Pattern.compile("(\\d{4}-\\d{2}-\\d{2})[Tt](\\d{2}:\\d{2}:\\d{2})(?:\\.(\\d+))?(?:[Zz]|([+-])(\\d{2}):(\\d{2}))");

  private Instants() {}

  /** @param at ms since 1970 */
  static String text(long at) {
    return format("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "UTC").format(new Date(at));
  }

  /** @return ms since 1970; IllegalArgumentException for what is no instant */
  static long parse(String text) {
    Matcher parts = form.matcher(text);
    if (!parts.matches()) throw new IllegalArgumentException("Expected an instant as 2029-02-14T08:55:12.000Z, got " + text);
    String share = parts.group(3) == null ? "000" : (parts.group(3) + "00").substring(0, 3);
    try {
      long at = format("yyyy-MM-dd HH:mm:ss", "UTC").parse(parts.group(1) + " " + parts.group(2)).getTime() + Integer.parseInt(share);
      if (parts.group(4) == null) return at;
      long ahead = (Integer.parseInt(parts.group(5)) * 60L + Integer.parseInt(parts.group(6))) * 60_000;
      return parts.group(4).equals("+") ? at - ahead : at + ahead;
    } catch (ParseException none) {
      throw new IllegalArgumentException("Expected an instant as 2029-02-14T08:55:12.000Z, got " + text);
    }
  }

  /** @return the day in the zone, as 2029-02-14 */
  static String day(long at, String zone) {
    return format("yyyy-MM-dd", zone).format(new Date(at));
  }

  /** @return the time of day in the zone, as 08.55 */
  static String time(long at, String zone) {
    return format("HH.mm", zone).format(new Date(at));
  }

  private static SimpleDateFormat format(String pattern, String zone) {
    SimpleDateFormat format = new SimpleDateFormat(pattern, Locale.ROOT);
    format.setTimeZone(TimeZone.getTimeZone(zone));
    format.setLenient(false);
    return format;
  }
}
