package kawal.sinyal.sigmon.shell;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** The assets of a small package. As the real one it gives what a path leads to, out of its folder too. */
final class PackagedAssets implements PackageFiles.Source {
  private static final Map<String, String> FILES = new HashMap<>();

  static {
    FILES.put("platform.txt", "https://kawal.example");
    FILES.put("outside.js", "1");
    FILES.put("sigmon/index.html", "<p>Sigmon");
    FILES.put("sigmon/manifest.webmanifest", "{}");
    FILES.put("sigmon/icon-192.png", "png");
    FILES.put("sigmon/assets/index-1a.js", "1");
    FILES.put("sigmon/index.html.br", "br");
  }

  @Override public InputStream open(String path) throws IOException {
    String file = FILES.get(java.nio.file.Paths.get(path).normalize().toString());
    if (file == null) throw new FileNotFoundException(path);
    return new ByteArrayInputStream(file.getBytes(StandardCharsets.UTF_8));
  }
}
