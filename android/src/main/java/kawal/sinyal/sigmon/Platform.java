package kawal.sinyal.sigmon;

import android.content.Context;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

/** Where the platform is: written into the package when it is built. */
public final class Platform {
  private Platform() {}

  /** @return `https://HOST`, without a slash at the end */
  public static String origin(Context context) {
    try (BufferedReader reader = new BufferedReader(new InputStreamReader(context.getAssets().open("platform.txt"), "UTF-8"))) {
      return reader.readLine().trim();
    } catch (IOException none) {
      throw new IllegalStateException("The package holds no platform.txt: it was not built by tools/android.ts.", none);
    }
  }
}
