package kawal.sinyal.sigmon.shell;

import android.graphics.Bitmap;
import android.net.Uri;
import android.webkit.RenderProcessGoneDetail;
import android.webkit.WebResourceRequest;
import android.webkit.WebResourceResponse;
import android.webkit.WebView;
import android.webkit.WebViewClient;

/** Keeps the WebView on the package's page, and tells when it is there. */
final class PageClient extends WebViewClient {
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
  private final Screen screen;

  PageClient(PackageFiles files, Screen screen) {
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

  @Override public boolean onRenderProcessGone(WebView view, RenderProcessGoneDetail detail) {
    screen.gone();
    return true;
  }
}
