package kawal.sinyal.sigmon.duty;

import android.content.BroadcastReceiver;
import android.content.Context;
import android.content.Intent;

/** The phone was switched on, or the app updated: a duty that was going on goes on. */
public final class BootReceiver extends BroadcastReceiver {
  @Override public void onReceive(Context context, Intent intent) {
    String action = intent.getAction();
    if (Intent.ACTION_BOOT_COMPLETED.equals(action) || Intent.ACTION_MY_PACKAGE_REPLACED.equals(action)) Duty.resume(context);
  }
}
