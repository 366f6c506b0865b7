package kawal.sinyal.sigmon.duty;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import android.Manifest;
import android.app.AlarmManager;
import android.app.Notification;
import android.app.NotificationManager;
import android.content.Context;
import android.content.Intent;
import android.content.pm.ServiceInfo;
import android.os.Looper;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.json.JSONObject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.Shadows;
import org.robolectric.annotation.Config;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = {24, 29, 33, 37}, manifest = Config.NONE)
public class DutyServiceTest {
  private World world;

  @Before public void open() throws Exception {
    world = new World(3);
  }

  @After public void close() {
    world.close();
  }

  @Test public void startsWithOneAlarmAndAQuietNotificationAndStops() throws Exception {
    JSONObject state = Duty.start(world.app, world.order());
    assertEquals(true, state.getBoolean("on"));
    assertEquals(DutyService.class.getName(), Shadows.shadowOf(world.app).getNextStartedService().getComponent().getClassName());
    DutyService service = Robolectric.setupService(DutyService.class);
    assertEquals(DutyService.START_STICKY, service.onStartCommand(null, 0, 1));
    AlarmManager alarms = (AlarmManager) world.app.getSystemService(Context.ALARM_SERVICE);
    assertEquals(1, Shadows.shadowOf(alarms).getScheduledAlarms().size());
    NotificationManager notices = (NotificationManager) world.app.getSystemService(Context.NOTIFICATION_SERVICE);
    Notification notice = Shadows.shadowOf(service).getLastForegroundNotification();
    assertNotNull(notice);
    assertTrue(notice.extras.getString(Notification.EXTRA_TITLE).startsWith("Bertugas sejak "));
    assertTrue(String.valueOf(notice.extras.get(Notification.EXTRA_TEXT)).contains("Ketuk untuk membuka"));
    assertEquals("Selesai", notice.actions[0].title.toString());
    assertNull(notice.sound);
    assertEquals(false, Duty.stop(world.app).getBoolean("on"));
    settle();
    assertEquals(0, Shadows.shadowOf(alarms).getScheduledAlarms().size());
    assertEquals(0, Shadows.shadowOf(notices).size());
    service.onDestroy();
  }

  @Test public void goesOnAfterARestartOfThePhone() throws Exception {
    Duty.start(world.app, world.order());
    Shadows.shadowOf(world.app).clearStartedServices();
    world.kill();
    new BootReceiver().onReceive(world.app, new Intent(Intent.ACTION_BOOT_COMPLETED));
    assertNotNull(Shadows.shadowOf(world.app).getNextStartedService());
    new BootReceiver().onReceive(world.app, new Intent("another"));
    assertNull(Shadows.shadowOf(world.app).getNextStartedService());
  }

  @Test public void goesOnAfterAnUpdateOfTheApp() throws Exception {
    Duty.start(world.app, world.order());
    Shadows.shadowOf(world.app).clearStartedServices();
    world.kill();
    new BootReceiver().onReceive(world.app, new Intent(Intent.ACTION_MY_PACKAGE_REPLACED));
    assertNotNull(Shadows.shadowOf(world.app).getNextStartedService());
  }

  @Test @Config(sdk = {29, 33, 37}) public void comesInFrontWithTheLocationWhereTheOfficerAllowedIt() throws Exception {
    Shadows.shadowOf(world.app).grantPermissions(Manifest.permission.ACCESS_FINE_LOCATION);
    Duty.start(world.app, world.order());
    DutyService service = Robolectric.setupService(DutyService.class);
    assertEquals(DutyService.START_STICKY, service.onStartCommand(Shadows.shadowOf(world.app).getNextStartedService(), 0, 1));
    assertEquals(ServiceInfo.FOREGROUND_SERVICE_TYPE_LOCATION, service.getForegroundServiceType());
    assertTrue(DutyService.isLocated());
    service.onDestroy();
  }

  @Test @Config(sdk = 37) public void withoutTheLocationItIsOfSpecialUse() throws Exception {
    Duty.start(world.app, world.order());
    DutyService service = Robolectric.setupService(DutyService.class);
    service.onStartCommand(Shadows.shadowOf(world.app).getNextStartedService(), 0, 1);
    assertEquals(ServiceInfo.FOREGROUND_SERVICE_TYPE_SPECIAL_USE, service.getForegroundServiceType());
    assertEquals(false, DutyService.isLocated());
    service.onDestroy();
  }

  @Test @Config(sdk = 33) public void begunBehindItAsksForATapWhichBringsTheLocationBack() throws Exception {
    Shadows.shadowOf(world.app).grantPermissions(Manifest.permission.ACCESS_FINE_LOCATION);
    Duty.start(world.app, world.order());
    Shadows.shadowOf(world.app).clearStartedServices();
    world.kill();
    new BootReceiver().onReceive(world.app, new Intent(Intent.ACTION_BOOT_COMPLETED));
    DutyService service = Robolectric.setupService(DutyService.class);
    service.onStartCommand(Shadows.shadowOf(world.app).getNextStartedService(), 0, 1);
    assertEquals(false, DutyService.isLocated());
    assertTrue(text(Shadows.shadowOf(service).getLastForegroundNotification()).contains("Ketuk"));
    Duty.stateBehind(world.app);
    assertNull("what is told of a change asks for nothing", Shadows.shadowOf(world.app).getNextStartedService());
    Duty.state(world.app);
    service.onStartCommand(Shadows.shadowOf(world.app).getNextStartedService(), 0, 2);
    assertTrue(DutyService.isLocated());
    service.onDestroy();
  }

  @Test @Config(sdk = 37) public void refusedAltogetherTheAlarmsGoOnAndANotificationAsks() throws Exception {
    Shadows.shadowOf(world.app).grantPermissions(Manifest.permission.ACCESS_FINE_LOCATION);
    Duty.start(world.app, world.order());
    DutyService service = Robolectric.setupService(DutyService.class);
    Shadows.shadowOf(service).setThrowInStartForeground(new SecurityException("Starting FGS with type location requires permissions"));
    assertEquals(DutyService.START_STICKY, service.onStartCommand(new Intent(), 0, 1));
    assertEquals(false, DutyService.isLocated());
    AlarmManager alarms = (AlarmManager) world.app.getSystemService(Context.ALARM_SERVICE);
    assertEquals(1, Shadows.shadowOf(alarms).getScheduledAlarms().size());
    NotificationManager notices = (NotificationManager) world.app.getSystemService(Context.NOTIFICATION_SERVICE);
    assertTrue(text(Shadows.shadowOf(notices).getAllNotifications().get(0)).contains("Ketuk"));
    service.onDestroy();
  }

  @Test public void powerBringsADutyBackThatWaitsForIt() throws Exception {
    Duty.start(world.app, world.order());
    DutyService service = Robolectric.setupService(DutyService.class);
    world.battery(4, false);
    world.pass(world.duty.wake_ms());
    settle();
    assertEquals("battery", world.held());
    long slow = world.duty.wake_ms();
    world.app.sendBroadcast(new Intent(Intent.ACTION_POWER_CONNECTED));
    Shadows.shadowOf(Looper.getMainLooper()).idle();
    assertTrue(world.duty.wake_ms() <= 300_000 && slow > 300_000);
    service.onDestroy();
  }

  private static String text(Notification notice) {
    return String.valueOf(notice.extras.get(Notification.EXTRA_TEXT));
  }

  @Test public void anAlarmMakesAReportWithoutAnyPermission() throws Exception {
    Duty.start(world.app, world.order());
    world.pass(world.duty.wake_ms());
    new AlarmReceiver().onReceive(world.app, new Intent(world.app, AlarmReceiver.class));
    settle();
    assertEquals(1, world.platform.kept.size());
  }

  @Test public void aBadOrderIsRefusedWithASentence() throws Exception {
    try {
      Duty.start(world.app, world.order().put("station", "12"));
      throw new AssertionError("it was taken");
    } catch (IllegalArgumentException said) {
      assertEquals("The station of the order is not 13 digits: 12.", said.getMessage());
    }
  }

  private void settle() throws InterruptedException {
    final CountDownLatch done = new CountDownLatch(1);
    Duty.turn(world.app, false, new Runnable() {
      @Override public void run() {
        done.countDown();
      }
    });
    assertTrue(done.await(60, TimeUnit.SECONDS));
  }
}
