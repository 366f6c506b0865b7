package kawal.sinyal.sigmon.shell;

import android.annotation.TargetApi;
import android.graphics.Bitmap;
import android.net.Uri;
import android.os.Build;
import android.webkit.RenderProcessGoneDetail;
import android.webkit.WebResourceRequest;
import android.webkit.WebResourceResponse;
import android.webkit.WebView;
import android.webkit.WebViewClient;

/** Keeps the WebView on the package's page, and tells when it is there. */
class PageClient extends WebViewClient {
  /** What the screen around the WebView does. */
  interface Screen {
    /** A page of ours begins to load: the port of the one before is no more. */
    void left();

    /** The page of ours is there. */
    void arrived();

    void outside(Uri address);

    /** Android has taken away the process that draws, or it has crashed. */
    void gone();
  }

  private final PackageFiles files;
  final Screen screen;

  static PageClient of(PackageFiles files, Screen screen) {
    return Build.VERSION.SDK_INT >= 26 ? new Api26(files, screen) : new PageClient(files, screen);
  }

  private PageClient(PackageFiles files, Screen screen) {
    this.files = files;
    this.screen = screen;
  }

  @Override public WebResourceResponse shouldInterceptRequest(WebView view, WebResourceRequest request) {
    return files.answer(request);
  }

  @Override public boolean shouldOverrideUrlLoading(WebView view, WebResourceRequest request) {
    if (files.isOurs(request.getUrl().toString())) return false;
    if (request.isForMainFrame()) screen.outside(request.getUrl());
    return true;
  }

  @Override public void onPageStarted(WebView view, String url, Bitmap icon) {
    screen.left();
  }

  @Override public void onPageFinished(WebView view, String url) {
    if (files.isOurs(url)) screen.arrived();
  }

  /** Before Android 8 the page is drawn in the app's own process. */
  @TargetApi(26)
  private static final class Api26 extends PageClient {
    Api26(PackageFiles files, Screen screen) {
      super(files, screen);
    }

    @Override public boolean onRenderProcessGone(WebView view, RenderProcessGoneDetail detail) {
      screen.gone();
      return true;
    }
  }
}
