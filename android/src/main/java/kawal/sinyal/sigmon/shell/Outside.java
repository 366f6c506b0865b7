package kawal.sinyal.sigmon.shell;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.Intent;
import android.net.Uri;
import android.widget.Toast;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What the shell does not open itself is given to the phone. */
final class Outside {
  private static final List<String> SCHEMES = Arrays.asList("https", "tel", "sms", "smsto", "mailto", "geo", "market");

  private Outside() {
  }

  /** Opens an address, or says that nothing on the phone does. An address of another kind (`intent:`, `file:`, `content:`) could reach into the phone: it is left out. */
  static boolean open(Activity activity, Uri address) {
    String scheme = address.getScheme();
    if (scheme == null || !SCHEMES.contains(scheme.toLowerCase(Locale.ROOT))) return false;
    return start(activity, new Intent(Intent.ACTION_VIEW, address));
  }

  /** @return false where no app takes it; the officer has been told */
  static boolean start(Activity activity, Intent intent) {
    try {
      activity.startActivity(intent);
      return true;
    } catch (ActivityNotFoundException | SecurityException nobody) {
      Toast.makeText(activity, Words.NOTHING_OPENS.in(activity), Toast.LENGTH_LONG).show();
      return false;
    }
  }
}
