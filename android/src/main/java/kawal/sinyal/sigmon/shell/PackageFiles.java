package kawal.sinyal.sigmon.shell;

import android.webkit.WebResourceRequest;
import android.webkit.WebResourceResponse;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.Map;
import java.net.URI;
import java.net.URISyntaxException;

/** Answers for `ORIGIN/sigmon/...` from the package, as the server would answer, so that what runs is what was signed. */
final class PackageFiles {
  /** What the page may do. As the server's own, but for connections: see docs/decisions/0057-shell.md. */
  static final String POLICY = "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';img-src 'self' data: blob:;object-src 'none';"
      + "script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';worker-src 'self' blob:;connect-src 'self' https:";

  private static final String FOLDER = "/sigmon/";
  private static final Map<String, String> TYPES = types();

  /** The package's assets. */
  interface Source {
    InputStream open(String path) throws IOException;
  }

  private final Source assets;
  private final URI origin;

  PackageFiles(Source assets, String origin) {
    this.assets = assets;
    this.origin = URI.create(origin);
  }

  /** Whether an address is below ORIGIN/sigmon/, whatever its file, query or fragment. */
  boolean isOurs(String url) {
    return pathOf(url) != null;
  }

  /** The answer, 404 for what the package does not hold; null for what is the platform's or somebody else's. */
  WebResourceResponse answer(WebResourceRequest request) {
    String path = pathOf(request.getUrl().toString());
    if (path == null) return null;
    if (!"GET".equals(request.getMethod())) return missing();
    return file(path.endsWith("/") ? path + "index.html" : path);
  }

  private WebResourceResponse file(String path) {
    String type = TYPES.get(path.substring(path.lastIndexOf('.') + 1));
    if (type == null || !path.matches("/sigmon/[A-Za-z0-9_/.-]+") || path.contains("..") || path.contains("//")) return missing();
    InputStream stream;
    try {
      stream = assets.open(path.substring(1));
    } catch (IOException gone) {
      return missing();
    }
    Map<String, String> headers = headers();
    headers.put("Cache-Control", path.startsWith("/sigmon/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
    return new WebResourceResponse(type, isText(type) ? "utf-8" : null, 200, "OK", headers, stream);
  }

  private static WebResourceResponse missing() {
    return new WebResourceResponse("text/plain", "utf-8", 404, "Not Found", headers(), new ByteArrayInputStream(new byte[0]));
  }

  /** The path, as it is written in the address: what is encoded in it names no file of ours. */
  private String pathOf(String url) {
    try {
      URI asked = new URI(url);
      boolean isSame = origin.getScheme().equals(asked.getScheme()) && origin.getHost().equals(asked.getHost()) && port(origin) == port(asked) && asked.getRawUserInfo() == null;
      String path = asked.getRawPath();
      return isSame && path != null && path.startsWith(FOLDER) ? path : null;
    } catch (URISyntaxException error) {
      return null;
    }
  }

  private static int port(URI address) {
    return address.getPort() == -1 ? 443 : address.getPort();
  }

  private static boolean isText(String type) {
    return type.startsWith("text/") || type.endsWith("json");
  }

  /** What @fastify/helmet gives with the server's settings (server/src/app.ts). */
  private static Map<String, String> headers() {
    Map<String, String> headers = new HashMap<>();
    headers.put("Content-Security-Policy", POLICY);
    headers.put("Cross-Origin-Opener-Policy", "same-origin");
    headers.put("Cross-Origin-Resource-Policy", "same-origin");
    headers.put("Origin-Agent-Cluster", "?1");
    headers.put("Referrer-Policy", "no-referrer");
    headers.put("X-Content-Type-Options", "nosniff");
    headers.put("X-Frame-Options", "SAMEORIGIN");
    return headers;
  }

  private static Map<String, String> types() {
    Map<String, String> types = new HashMap<>();
    types.put("html", "text/html");
    types.put("js", "text/javascript");
    types.put("css", "text/css");
    types.put("svg", "image/svg+xml");
    types.put("png", "image/png");
    types.put("json", "application/json");
    types.put("webmanifest", "application/manifest+json");
    types.put("wasm", "application/wasm");
    return types;
  }
}
