package kawal.sinyal.sigmon.shell;

import android.annotation.TargetApi;
import android.content.Context;
import android.content.pm.PackageInfo;
import android.content.pm.PackageManager;
import android.content.pm.Signature;
import android.os.Build;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.json.JSONException;
import org.json.JSONObject;

/** What is installed here, so that an officer and an auditor can hold it against what was handed out. */
final class About {
  private static String sha256;

  private About() {
  }

  /** About of spec/shell.md. Reads the whole package once: not on the main thread. */
  static synchronized JSONObject of(Context context) throws JSONException, IOException, PackageManager.NameNotFoundException {
    PackageInfo info = context.getPackageManager().getPackageInfo(context.getPackageName(), 0);
    if (sha256 == null) {
      try (InputStream file = new FileInputStream(context.getApplicationInfo().sourceDir)) {
        sha256 = hash(file);
      }
    }
    Signature[] signatures = signatures(context);
    return new JSONObject().put("versionCode", info.versionCode).put("versionName", info.versionName).put("sha256", sha256)
        .put("certificate", signatures == null || signatures.length == 0 ? JSONObject.NULL : hex(digest().digest(signatures[0].toByteArray()))).put("platform", "android " + Build.VERSION.RELEASE);
  }

  private static Signature[] signatures(Context context) throws PackageManager.NameNotFoundException {
    if (Build.VERSION.SDK_INT >= 28) return Api28.signatures(context);
    return context.getPackageManager().getPackageInfo(context.getPackageName(), PackageManager.GET_SIGNATURES).signatures;
  }

  private static String hash(InputStream stream) throws IOException {
    MessageDigest digest = digest();
    byte[] part = new byte[65536];
    for (int length = stream.read(part); length >= 0; length = stream.read(part)) digest.update(part, 0, length);
    return hex(digest.digest());
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException(error);
    }
  }

  private static String hex(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte each : bytes) text.append(Character.forDigit(each >> 4 & 15, 16)).append(Character.forDigit(each & 15, 16));
    return text.toString();
  }

  @TargetApi(28)
  private static final class Api28 {
    static Signature[] signatures(Context context) throws PackageManager.NameNotFoundException {
      PackageInfo info = context.getPackageManager().getPackageInfo(context.getPackageName(), PackageManager.GET_SIGNING_CERTIFICATES);
      return info.signingInfo == null ? null : info.signingInfo.getApkContentsSigners();
    }
  }
}
