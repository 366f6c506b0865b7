package kawal.sinyal.sigmon.duty;

import java.text.ParseException;
import java.text.SimpleDateFormat;
import java.util.Locale;
import java.util.TimeZone;

/** Dates of HTTP (RFC 9110, 5.6.7). */
final class HttpDate {
  private HttpDate() {}

  /** @return ms since 1970; 0 for what is none */
  static long parse(String text) {
    SimpleDateFormat form = new SimpleDateFormat("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US);
    form.setTimeZone(TimeZone.getTimeZone("UTC"));
    try {
      return form.parse(text).getTime();
    } catch (ParseException none) {
      return 0;
    }
  }
}
