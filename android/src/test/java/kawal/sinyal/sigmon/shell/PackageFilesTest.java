package kawal.sinyal.sigmon.shell;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import android.webkit.WebResourceResponse;
import java.util.Map;
import kawal.sinyal.sigmon.Platform;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = {24, 37}, manifest = Config.NONE)
public class PackageFilesTest {
  private PackageFiles files;

  @Before public void open() {
    files = new PackageFiles(new PackagedAssets(), "https://kawal.example");
  }

  @Test public void everyFileComesWithItsTypeAndHowLongItIsKept() throws Exception {
    WebResourceResponse page = asked("GET", "https://kawal.example/sigmon/?buka=1#/tugas");
    assertEquals(200, page.getStatusCode());
    assertEquals("text/html", page.getMimeType());
    assertEquals("utf-8", page.getEncoding());
    assertEquals("no-cache", page.getResponseHeaders().get("Cache-Control"));
    assertArrayEquals("<p>Sigmon".getBytes("UTF-8"), Platform.all(page.getData()));
    WebResourceResponse part = asked("GET", "https://kawal.example:443/sigmon/assets/index-1a.js");
    assertEquals("text/javascript", part.getMimeType());
    assertEquals("public, max-age=31536000, immutable", part.getResponseHeaders().get("Cache-Control"));
    assertEquals("application/manifest+json", asked("GET", "https://kawal.example/sigmon/manifest.webmanifest").getMimeType());
    assertEquals("image/png", asked("GET", "https://kawal.example/sigmon/icon-192.png").getMimeType());
    assertNull(asked("GET", "https://kawal.example/sigmon/icon-192.png").getEncoding());
  }

  @Test public void thePolicyLetsThePageReachThePlatformAndTargetsOverTlsAlone() {
    Map<String, String> headers = asked("GET", "https://kawal.example/sigmon/").getResponseHeaders();
    assertTrue(headers.get("Content-Security-Policy").endsWith("connect-src 'self' https:"));
    assertTrue(headers.get("Content-Security-Policy").contains("script-src 'self';"));
    assertEquals("nosniff", headers.get("X-Content-Type-Options"));
    assertEquals("SAMEORIGIN", headers.get("X-Frame-Options"));
  }

  @Test public void whatIsNotInThePackageIsNowhere() {
    String[] paths = {"gone.js", "assets/", "assets/gone.css", "../platform.txt", "..%2Fplatform.txt", "%2e%2e/platform.txt", "assets/../../platform.txt", "../outside.js", "assets/../../outside.js", "assets/%2e%2e/index.html", "index.html.br", "unknown.exe", "a%00.js", "//index.html"};
    for (String path : paths) assertEquals(path, 404, asked("GET", "https://kawal.example/sigmon/" + path).getStatusCode());
    assertEquals(404, asked("POST", "https://kawal.example/sigmon/").getStatusCode());
  }

  @Test public void everythingElseIsThePlatformsOrSomebodyElses() {
    String[] addresses = {"https://kawal.example/", "https://kawal.example/sigmon", "https://kawal.example/v1/reports", "https://kawal.example/sigmon-2/", "https://kawal.example:8443/sigmon/", "http://kawal.example/sigmon/",
        "https://kawal.example.evil.example/sigmon/", "https://evil.example/sigmon/", "https://kawal.example@evil.example/sigmon/", "https://evil.example@kawal.example/sigmon/", "https://kawal.example/x/../sigmon/", "data:text/html,x", "about:blank"};
    for (String address : addresses) assertNull(address, asked("GET", address));
    assertTrue(files.isOurs("https://kawal.example/sigmon/#tps=1&kode=2"));
  }

  private WebResourceResponse asked(String method, String url) {
    return files.answer(new MainFrame(method, url));
  }
}
