package kawal.sinyal.sigmon.shell;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.Intent;
import android.net.Uri;
import android.util.Base64;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.Executor;
import org.json.JSONException;
import org.json.JSONObject;

/** Files of the page that the officer keeps: the phone's own dialogue says where. */
final class Saver {
  static final int CODE = 2;

  private final Activity activity;
  private final Executor background;
  private byte[] bytes;
  private Port.Answer answer;

  Saver(Activity activity, Executor background) {
    this.activity = activity;
    this.background = background;
  }

  /** @throws IllegalArgumentException where `base64` is none */
  void save(JSONObject given, Port.Answer wanted) throws JSONException {
    byte[] decoded = Base64.decode(given.getString("base64"), Base64.DEFAULT);
    String type = given.optString("type");
    Intent intent = new Intent(Intent.ACTION_CREATE_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType(type.matches("[\\w.+-]+/[\\w.+-]+") ? type : "application/octet-stream")
        .putExtra(Intent.EXTRA_TITLE, given.getString("name").replaceAll("[\\\\/:*?\"<>|\\p{Cntrl}]", "-"));
    if (answer != null) finish(false);
    bytes = decoded;
    answer = wanted;
    try {
      activity.startActivityForResult(intent, CODE);
    } catch (ActivityNotFoundException nobody) {
      answer = null;
      bytes = null;
      wanted.fault("Nothing on this phone can save a file.");
    }
  }

  void answered(int result, Intent data) {
    final Uri to = result == Activity.RESULT_OK && data != null ? data.getData() : null;
    if (to == null || answer == null) {
      finish(false);
      return;
    }
    final byte[] written = bytes;
    final Port.Answer waiting = answer;
    answer = null;
    bytes = null;
    background.execute(new Runnable() {
      @Override public void run() {
        try (OutputStream file = activity.getContentResolver().openOutputStream(to, "wt")) {
          if (file == null) throw new IOException("nothing opened it");
          file.write(written);
        } catch (IOException | SecurityException error) {
          waiting.fault("The file could not be written: " + error.getMessage());
          return;
        }
        waiting.is(saved(true));
      }
    });
  }

  private void finish(boolean isSaved) {
    if (answer != null) answer.is(saved(isSaved));
    answer = null;
    bytes = null;
  }

  private static JSONObject saved(boolean isSaved) {
    try {
      return new JSONObject().put("saved", isSaved);
    } catch (JSONException error) {
      throw new IllegalStateException(error);
    }
  }
}
