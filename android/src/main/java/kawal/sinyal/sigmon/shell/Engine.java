package kawal.sinyal.sigmon.shell;

import android.annotation.TargetApi;
import android.content.Context;
import android.content.pm.PackageInfo;
import android.os.Build;
import android.webkit.WebSettings;
import android.webkit.WebView;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The browser inside the phone that draws the page: an app of its own, which may be missing, switched off or old. */
final class Engine {
  /** The oldest that Sigmon is tested with: Chromium of July 2021. */
  static final int VERSION_MIN = 92;
  private static final Pattern CHROMIUM = Pattern.compile("Chrome/([0-9]+)");
  private static final String UP_TO_ANDROID_9 = "com.android.chrome";

  private Engine() {
  }

  /** Its major version; 0 where there is none that works. */
  static int version(Context context) {
    try {
      return versionOf(WebSettings.getDefaultUserAgent(context));
    } catch (RuntimeException | LinkageError missing) {
      // Android throws what it finds: MissingWebViewPackageException, UnsatisfiedLinkError.
      return 0;
    }
  }

  static int versionOf(String agent) {
    Matcher match = CHROMIUM.matcher(String.valueOf(agent));
    return match.find() ? Integer.parseInt(match.group(1)) : 0;
  }

  /** The app to update. */
  static String packageName() {
    String name = Build.VERSION.SDK_INT >= 26 ? Api26.packageName() : null;
    return name == null ? Build.VERSION.SDK_INT >= 29 ? "com.google.android.webview" : UP_TO_ANDROID_9 : name;
  }

  @TargetApi(26)
  private static final class Api26 {
    static String packageName() {
      PackageInfo info = WebView.getCurrentWebViewPackage();
      return info == null ? null : info.packageName;
    }
  }
}
