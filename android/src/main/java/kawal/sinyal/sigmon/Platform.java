package kawal.sinyal.sigmon;

import android.content.Context;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** The platform that this package belongs to. It is written into the package when it is built, and nothing changes it. */
public final class Platform {
  private static volatile String origin;

  private Platform() {
  }

  /**
   * @return `https://HOST`, without a slash at the end
   * @throws IllegalStateException where the package was built without one
   */
  public static String origin(Context context) {
    if (origin == null) origin = read(context);
    return origin;
  }

  private static String read(Context context) {
    try (InputStream file = context.getAssets().open("platform.txt")) {
      String text = new String(all(file), StandardCharsets.UTF_8).trim();
      if (!text.matches("https://[a-z0-9.-]+(:[0-9]{1,5})?")) throw new IllegalStateException("platform.txt holds no origin: " + text);
      return text;
    } catch (IOException error) {
      throw new IllegalStateException("The package was built without platform.txt.", error);
    }
  }

  /** All bytes of a stream: `readAllBytes` is newer than Android 7. */
  public static byte[] all(InputStream stream) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] part = new byte[16384];
    for (int length = stream.read(part); length >= 0; length = stream.read(part)) bytes.write(part, 0, length);
    return bytes.toByteArray();
  }
}
