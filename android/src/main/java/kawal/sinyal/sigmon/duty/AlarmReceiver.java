package kawal.sinyal.sigmon.duty;

import android.content.BroadcastReceiver;
import android.content.Context;
import android.content.Intent;

/** The duty's alarm, and the notification's button. */
public final class AlarmReceiver extends BroadcastReceiver {
  static final String stop = "kawal.sinyal.sigmon.duty.STOP";

  @Override public void onReceive(Context context, Intent intent) {
    if (stop.equals(intent.getAction())) {
      Duty.stop(context);
      return;
    }
    // A process that was killed begins here again, in front if Android lets it.
    if (Duty.engine(context).isOn() && !DutyService.isRunning()) DutyService.runBehind(context);
    final PendingResult result = goAsync();
    Duty.turn(context, false, new Runnable() {
      @Override public void run() {
        if (result != null) result.finish();
      }
    });
  }
}
