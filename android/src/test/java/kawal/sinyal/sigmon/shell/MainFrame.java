package kawal.sinyal.sigmon.shell;

import android.net.Uri;
import android.webkit.WebResourceRequest;
import java.util.Collections;
import java.util.Map;

/** What a WebView asks for in its main frame. */
final class MainFrame implements WebResourceRequest {
  private final String method;
  private final Uri url;

  MainFrame(String url) {
    this("GET", url);
  }

  MainFrame(String method, String url) {
    this.method = method;
    this.url = Uri.parse(url);
  }

  @Override public Uri getUrl() {
    return url;
  }

  @Override public boolean isForMainFrame() {
    return true;
  }

  @Override public boolean isRedirect() {
    return false;
  }

  @Override public boolean hasGesture() {
    return false;
  }

  @Override public String getMethod() {
    return method;
  }

  @Override public Map<String, String> getRequestHeaders() {
    return Collections.emptyMap();
  }
}
