package kawal.sinyal.sigmon.shell;

import android.content.Context;
import android.content.res.Configuration;

/** As in res/values/styles.xml and res/values-night/styles.xml, for what is drawn before the page is. */
final class Colours {
  static final int GROUND = 0xff0b3d6b;

  private Colours() {
  }

  static int paper(Context context) {
    return isNight(context) ? 0xff0e1420 : 0xffffffff;
  }

  static int ink(Context context) {
    return isNight(context) ? 0xffe8edf3 : 0xff101418;
  }

  private static boolean isNight(Context context) {
    return (context.getResources().getConfiguration().uiMode & Configuration.UI_MODE_NIGHT_MASK) == Configuration.UI_MODE_NIGHT_YES;
  }
}
