package kawal.sinyal.sigmon.shell;

import android.app.Activity;
import android.net.Uri;
import android.view.Gravity;
import android.view.View;
import android.widget.Button;
import android.widget.LinearLayout;
import android.widget.ScrollView;
import android.widget.TextView;
import kawal.sinyal.sigmon.Platform;

/** Screens for a phone that cannot draw the page: what is the matter, and what to do. */
final class Plain {
  private Plain() {
  }

  /** @param version of what is there; 0 where nothing is */
  static View noEngine(final Activity activity, int version) {
    String address = Platform.origin(activity) + "/sigmon/";
    String text = version == 0 ? Words.ENGINE_MISSING.in(activity, address) : Words.ENGINE_OLD.in(activity, version, Engine.VERSION_MIN, address);
    Button update = button(activity, Words.ENGINE_UPDATE, new View.OnClickListener() {
      @Override public void onClick(View view) {
        Outside.open(activity, Uri.parse("market://details?id=" + Engine.packageName()));
      }
    });
    return screen(activity, text, update, again(activity));
  }

  static View stopped(Activity activity) {
    return screen(activity, Words.STOPPED.in(activity), again(activity));
  }

  private static Button again(final Activity activity) {
    return button(activity, Words.AGAIN, new View.OnClickListener() {
      @Override public void onClick(View view) {
        activity.recreate();
      }
    });
  }

  private static Button button(Activity activity, Words word, View.OnClickListener clicked) {
    Button button = new Button(activity);
    button.setText(word.in(activity));
    button.setMinHeight(Math.round(48 * activity.getResources().getDisplayMetrics().density));
    button.setOnClickListener(clicked);
    return button;
  }

  private static View screen(Activity activity, String text, Button... buttons) {
    int edge = Math.round(16 * activity.getResources().getDisplayMetrics().density);
    TextView words = new TextView(activity);
    words.setText(text);
    words.setTextSize(18);
    words.setTextColor(Colours.ink(activity));
    LinearLayout column = new LinearLayout(activity);
    column.setOrientation(LinearLayout.VERTICAL);
    column.setGravity(Gravity.CENTER_VERTICAL);
    column.setPadding(edge, edge, edge, edge);
    column.addView(words);
    for (Button each : buttons) column.addView(each);
    ScrollView view = new ScrollView(activity);
    view.setFillViewport(true);
    view.setBackgroundColor(Colours.paper(activity));
    view.addView(column);
    return view;
  }
}
