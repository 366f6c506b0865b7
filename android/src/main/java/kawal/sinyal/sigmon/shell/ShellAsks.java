package kawal.sinyal.sigmon.shell;

import android.app.Activity;
import android.content.Intent;
import android.net.Uri;
import android.os.Handler;
import android.os.Looper;
import android.provider.Settings;
import kawal.sinyal.sigmon.duty.Duty;
import kawal.sinyal.sigmon.radio.RadioReader;
import org.json.JSONException;
import org.json.JSONObject;

/** The asks of spec/shell.md, and who answers each. They come on the background thread; what has a screen goes on the main one. */
final class ShellAsks implements Port.Asks {
  private final Activity activity;
  private final RadioReader radio;
  private final Permits permits;
  private final Saver saver;
  private final Handler main = new Handler(Looper.getMainLooper());

  ShellAsks(Activity activity, RadioReader radio, Permits permits, Saver saver) {
    this.activity = activity;
    this.radio = radio;
    this.permits = permits;
    this.saver = saver;
  }

  @Override public boolean ask(String what, final JSONObject given, final Port.Answer answer) throws Exception {
    if ("read".equals(what)) read(answer);
    else if ("about".equals(what)) answer.is(About.of(activity));
    else if ("duty.start".equals(what)) answer.is(Duty.start(activity.getApplicationContext(), given));
    else if ("duty.stop".equals(what)) answer.is(Duty.stop(activity.getApplicationContext()));
    else if ("duty.send".equals(what)) answer.is(Duty.send(activity.getApplicationContext()));
    else if ("duty.state".equals(what)) answer.is(Duty.state(activity.getApplicationContext()));
    else return askOfScreen(what, given, answer);
    return true;
  }

  private boolean askOfScreen(final String what, final JSONObject given, final Port.Answer answer) {
    if (!what.matches("permissions|permit|settings|save|open")) return false;
    main.post(new Runnable() {
      @Override public void run() {
        try {
          if ("permissions".equals(what)) answer.is(permits.read());
          else if ("permit".equals(what)) permit(given, answer);
          else if ("settings".equals(what)) settings(given, answer);
          else if ("save".equals(what)) saver.save(given, answer);
          else open(given, answer);
        } catch (IllegalArgumentException | JSONException error) {
          answer.fault(error.getMessage());
        }
      }
    });
    return true;
  }

  private void read(final Port.Answer answer) {
    radio.read(new RadioReader.Told() {
      @Override public void read(JSONObject reading) {
        answer.is(reading);
      }
    });
  }

  private void permit(JSONObject given, final Port.Answer answer) throws JSONException {
    String what = given.getString("what");
    if (!what.matches("location|notifications")) throw new IllegalArgumentException("permit knows location and notifications, not " + what + ".");
    permits.ask("location".equals(what) ? Permits.LOCATION : Permits.NOTIFICATIONS, new Runnable() {
      @Override public void run() {
        try {
          answer.is(permits.read());
        } catch (JSONException error) {
          answer.fault(error.getMessage());
        }
      }
    });
  }

  private void settings(JSONObject given, Port.Answer answer) throws JSONException {
    String of = given.getString("of");
    Intent intent;
    if ("app".equals(of)) intent = new Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", activity.getPackageName(), null));
    else if ("battery".equals(of)) intent = new Intent(Settings.ACTION_IGNORE_BATTERY_OPTIMIZATION_SETTINGS);
    else if ("location".equals(of)) intent = new Intent(Settings.ACTION_LOCATION_SOURCE_SETTINGS);
    else throw new IllegalArgumentException("settings knows app, battery and location, not " + of + ".");
    // Some brands have taken single screens out: the list of all is there.
    boolean isThere = intent.resolveActivity(activity.getPackageManager()) != null;
    done(Outside.start(activity, isThere ? intent : new Intent(Settings.ACTION_SETTINGS)), answer);
  }

  private void open(JSONObject given, Port.Answer answer) throws JSONException {
    Uri url = Uri.parse(given.getString("url"));
    if (!"https".equals(url.getScheme())) throw new IllegalArgumentException("open takes an address of https:, not " + url + ".");
    done(Outside.open(activity, url), answer);
  }

  private static void done(boolean isDone, Port.Answer answer) {
    if (isDone) answer.is(new JSONObject());
    else answer.fault("Nothing on this phone opens it.");
  }
}
