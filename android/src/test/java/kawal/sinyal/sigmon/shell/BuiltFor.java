package kawal.sinyal.sigmon.shell;

import android.content.Context;
import kawal.sinyal.sigmon.Platform;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;

/** A package that was built for a platform: tests run without assets. */
@Implements(value = Platform.class, isInAndroidSdk = false)
public class BuiltFor {
  static final String ORIGIN = "https://kawal.example";

  @Implementation protected static String origin(Context context) {
    return ORIGIN;
  }
}
