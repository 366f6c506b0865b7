package kawal.sinyal.sigmon.shell;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.ClipData;
import android.content.Intent;
import android.net.Uri;
import android.provider.MediaStore;
import android.webkit.ValueCallback;
import android.webkit.WebChromeClient.FileChooserParams;
import android.widget.Toast;

/** Files for the page: a photo from the camera app, or what the officer picks. */
final class Chooser {
  static final int CODE = 1;

  private final Activity activity;
  private final Permits permits;
  private ValueCallback<Uri[]> callback;
  private Uri photo;

  Chooser(Activity activity, Permits permits) {
    this.activity = activity;
    this.permits = permits;
  }

  /** Android gives an app that declares the camera no photo of the camera app before the officer allows it. */
  void show(ValueCallback<Uri[]> wanted, final FileChooserParams params) {
    give(null);
    callback = wanted;
    if (!params.isCaptureEnabled()) {
      pick(params);
      return;
    }
    permits.ask(Permits.CAMERA, new Runnable() {
      @Override public void run() {
        if (!permits.isGranted(Permits.CAMERA[0]) || !photograph()) pick(params);
      }
    });
  }

  void answered(int result, Intent data) {
    Uri taken = photo;
    photo = null;
    if (result != Activity.RESULT_OK) give(null);
    else if (taken != null) give(Photos.isThere(activity, taken) ? new Uri[] {taken} : null);
    else give(FileChooserParams.parseResult(result, data));
  }

  private boolean photograph() {
    Uri wanted = Photos.create(activity, System.currentTimeMillis());
    Intent intent = new Intent(MediaStore.ACTION_IMAGE_CAPTURE).putExtra(MediaStore.EXTRA_OUTPUT, wanted)
        .addFlags(Intent.FLAG_GRANT_WRITE_URI_PERMISSION | Intent.FLAG_GRANT_READ_URI_PERMISSION);
    intent.setClipData(ClipData.newRawUri("", wanted));
    if (!start(intent)) return false;
    photo = wanted;
    return true;
  }

  private void pick(FileChooserParams params) {
    Intent intent = new Intent(Intent.ACTION_GET_CONTENT).addCategory(Intent.CATEGORY_OPENABLE).setType(isImages(params) ? "image/*" : "*/*")
        .putExtra(Intent.EXTRA_ALLOW_MULTIPLE, params.getMode() == FileChooserParams.MODE_OPEN_MULTIPLE);
    if (start(intent)) return;
    give(null);
    Toast.makeText(activity, Words.NOTHING_OPENS.in(activity), Toast.LENGTH_LONG).show();
  }

  private static boolean isImages(FileChooserParams params) {
    for (String type : params.getAcceptTypes()) if (!type.startsWith("image/")) return false;
    return params.getAcceptTypes().length > 0;
  }

  private boolean start(Intent intent) {
    try {
      activity.startActivityForResult(intent, CODE);
      return true;
    } catch (ActivityNotFoundException | SecurityException nobody) {
      return false;
    }
  }

  /** The page waits until it is answered: null is nothing. */
  private void give(Uri[] files) {
    ValueCallback<Uri[]> waiting = callback;
    callback = null;
    if (waiting != null) waiting.onReceiveValue(files);
  }
}
