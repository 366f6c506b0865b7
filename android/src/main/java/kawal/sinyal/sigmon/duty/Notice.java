package kawal.sinyal.sigmon.duty;

import android.app.Notification;
import android.app.NotificationChannel;
import android.app.NotificationManager;
import android.app.PendingIntent;
import android.content.Context;
import android.content.Intent;
import android.graphics.drawable.Icon;
import android.os.Build;

/** The notification of the duty: quiet, in the language of the order. */
final class Notice {
  static final int id = 1;
  private static final String channel = "duty";

  private Notice() {}

  static void show(Context context, boolean wantsTap) {
    NotificationManager notices = (NotificationManager) context.getSystemService(Context.NOTIFICATION_SERVICE);
    if (Duty.engine(context).isOn()) notices.notify(id, of(context, wantsTap));
  }

  /** @param wantsTap opening the app would bring radio values */
  static Notification of(Context context, boolean wantsTap) {
    Engine duty = Duty.engine(context);
    Standing standing = duty.standing();
    Words words = new Words(standing.order == null ? "id" : standing.order.language);
    Notification.Builder builder = Build.VERSION.SDK_INT >= 26 ? Api26.builder(context, words) : new Notification.Builder(context).setPriority(Notification.PRIORITY_LOW);
    builder.setSmallIcon(android.R.drawable.ic_menu_mylocation).setOngoing(true).setOnlyAlertOnce(true).setShowWhen(false).setContentTitle(words.name);
    if (standing.order != null) {
      String text = words.text(standing, duty.isFull(), wantsTap);
      builder.setContentTitle(words.title(standing)).setContentText(text).setStyle(new Notification.BigTextStyle().bigText(text));
    }
    Intent open = context.getPackageManager().getLaunchIntentForPackage(context.getPackageName());
    if (open != null) builder.setContentIntent(PendingIntent.getActivity(context, 0, open, PendingIntent.FLAG_UPDATE_CURRENT | PendingIntent.FLAG_IMMUTABLE));
    Intent stop = new Intent(context, AlarmReceiver.class).setAction(AlarmReceiver.stop);
    builder.addAction(new Notification.Action.Builder((Icon) null, words.end, PendingIntent.getBroadcast(context, 1, stop, PendingIntent.FLAG_UPDATE_CURRENT | PendingIntent.FLAG_IMMUTABLE)).build());
    return builder.build();
  }

  private static final class Api26 {
    static Notification.Builder builder(Context context, Words words) {
      NotificationManager notices = (NotificationManager) context.getSystemService(Context.NOTIFICATION_SERVICE);
      notices.createNotificationChannel(new NotificationChannel(channel, words.name, NotificationManager.IMPORTANCE_LOW));
      return new Notification.Builder(context, channel);
    }
  }
}
