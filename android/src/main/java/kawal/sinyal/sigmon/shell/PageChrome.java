package kawal.sinyal.sigmon.shell;

import android.net.Uri;
import android.webkit.GeolocationPermissions;
import android.webkit.PermissionRequest;
import android.webkit.ValueCallback;
import android.webkit.WebChromeClient;
import android.webkit.WebView;
import java.util.Arrays;

/** Camera, position and files for the page: for ours alone, and after the officer has allowed it. */
final class PageChrome extends WebChromeClient {
  private static final String[] VIDEO = {PermissionRequest.RESOURCE_VIDEO_CAPTURE};

  private final String origin;
  private final Permits permits;
  private final Chooser chooser;

  PageChrome(String origin, Permits permits, Chooser chooser) {
    this.origin = origin;
    this.permits = permits;
    this.chooser = chooser;
  }

  /** The camera for the letter's QR. A microphone is nobody's here. */
  @Override public void onPermissionRequest(final PermissionRequest request) {
    if (!isOurs(String.valueOf(request.getOrigin())) || !Arrays.equals(request.getResources(), VIDEO)) {
      request.deny();
      return;
    }
    permits.ask(Permits.CAMERA, new Runnable() {
      @Override public void run() {
        if (permits.isGranted(Permits.CAMERA[0])) request.grant(VIDEO);
        else request.deny();
      }
    });
  }

  @Override public void onGeolocationPermissionsShowPrompt(final String asking, final GeolocationPermissions.Callback callback) {
    if (!isOurs(asking)) {
      callback.invoke(asking, false, false);
      return;
    }
    // An officer who chose the approximate place has answered.
    if (permits.isLocated()) {
      callback.invoke(asking, true, false);
      return;
    }
    permits.ask(Permits.LOCATION, new Runnable() {
      @Override public void run() {
        callback.invoke(asking, permits.isLocated(), false);
      }
    });
  }

  @Override public boolean onShowFileChooser(WebView view, ValueCallback<Uri[]> callback, FileChooserParams params) {
    chooser.show(callback, params);
    return true;
  }

  /** Android writes an origin with a slash at its end here, and without one there. */
  private boolean isOurs(String asking) {
    return (asking.endsWith("/") ? asking.substring(0, asking.length() - 1) : asking).equals(origin);
  }
}
