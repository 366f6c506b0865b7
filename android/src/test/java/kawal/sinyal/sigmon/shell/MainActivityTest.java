package kawal.sinyal.sigmon.shell;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNotSame;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.Manifest;
import android.app.Activity;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.net.Uri;
import android.os.Bundle;
import android.provider.MediaStore;
import android.view.ViewGroup;
import android.webkit.GeolocationPermissions;
import android.webkit.PermissionRequest;
import android.webkit.ValueCallback;
import android.webkit.WebChromeClient.FileChooserParams;
import android.webkit.WebSettings;
import android.webkit.WebView;
import android.widget.TextView;
import java.util.ArrayList;
import java.util.List;
import org.json.JSONObject;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;
import org.robolectric.fakes.RoboWebMessagePort;
import org.robolectric.shadows.ShadowLooper;
import org.robolectric.shadows.ShadowToast;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = {24, 37}, manifest = Config.NONE, instrumentedPackages = "kawal.sinyal.sigmon", shadows = {BuiltFor.class, Worker.class, MainActivityTest.Agent.class})
public class MainActivityTest {
  private static final String PAGE = "https://kawal.example/sigmon/";
  private ActivityController<MainActivity> controller;

  /** The browser that the phone has. */
  @Implements(Engine.class)
  public static class Agent {
    static int version = 120;

    @Implementation protected static int version(android.content.Context context) {
      return version;
    }
  }

  @Before public void modern() {
    Agent.version = 120;
  }

  @Test public void thePageIsLoadedFromThePlatformsOriginAndReachesNoFiles() {
    WebView web = web(start(null));
    assertEquals(PAGE, shadowOf(web).getLastLoadedUrl());
    WebSettings settings = web.getSettings();
    assertTrue(settings.getJavaScriptEnabled());
    assertFalse(settings.getAllowFileAccess());
    assertFalse(settings.getAllowContentAccess());
    assertEquals(WebSettings.MIXED_CONTENT_NEVER_ALLOW, settings.getMixedContentMode());
    assertNotNull(Worker.client);
  }

  @Test public void aLettersAddressIsOpenedAndOthersAreNot() {
    assertEquals(PAGE + "#tps=5301&kode=AB", shadowOf(web(start(view(PAGE + "#tps=5301&kode=AB")))).getLastLoadedUrl());
    assertEquals(PAGE, shadowOf(web(start(view("https://evil.example/sigmon/#tps=1")))).getLastLoadedUrl());
    assertEquals(PAGE, shadowOf(web(start(view("javascript:alert(1)")))).getLastLoadedUrl());
    MainActivity activity = start(null);
    controller.newIntent(view(PAGE + "#tps=1&kode=2"));
    assertEquals(PAGE + "?buka=1#tps=1&kode=2", shadowOf(web(activity)).getLastLoadedUrl());
    controller.newIntent(view("https://evil.example/"));
    assertEquals(PAGE + "?buka=1#tps=1&kode=2", shadowOf(web(activity)).getLastLoadedUrl());
  }

  @Test public void thePortIsOpenedAfterEachLoadOfThePageAndOfNoOther() throws Exception {
    MainActivity activity = start(null);
    WebView web = web(activity);
    client(web).onPageFinished(web, "https://evil.example/sigmon/");
    assertEquals(0, shadowOf(web).getCreatedPorts().size());
    client(web).onPageFinished(web, PAGE);
    client(web).onPageFinished(web, PAGE + "#/tugas");
    assertEquals(1, shadowOf(web).getCreatedPorts().size());
    RoboWebMessagePort ours = shadowOf(web).getCreatedPorts().get(0)[0];
    ours.getWebMessageCallback().onMessage(ours, new android.webkit.WebMessage("{\"id\":1,\"ask\":\"permissions\"}"));
    JSONObject permissions = new JSONObject(answer(ours)).getJSONObject("is");
    assertEquals("askable", permissions.getString("location"));
    assertFalse(permissions.getBoolean("precise"));
    client(web).onPageStarted(web, PAGE, null);
    assertTrue(ours.isClosed());
    client(web).onPageFinished(web, PAGE);
    assertEquals(2, shadowOf(web).getCreatedPorts().size());
  }

  @Test public void linksElsewhereGoToThePhoneOrAreExplained() {
    MainActivity activity = start(null);
    WebView web = web(activity);
    for (String url : new String[] {"https://kawal.example/verify/", "tel:112", "sms:112?body=x", "geo:0,0?q=1,2"}) {
      assertTrue(client(web).shouldOverrideUrlLoading(web, new MainFrame(url)));
      Intent intent = shadowOf(activity).getNextStartedActivity();
      assertEquals(Intent.ACTION_VIEW, intent.getAction());
      assertEquals(Uri.parse(url), intent.getData());
    }
    for (String url : new String[] {"intent://x#Intent;scheme=y;end", "file:///etc/hosts", "content://a/b", "javascript:1"}) {
      assertTrue(client(web).shouldOverrideUrlLoading(web, new MainFrame(url)));
      assertNull(url, shadowOf(activity).getNextStartedActivity());
    }
    assertFalse(client(web).shouldOverrideUrlLoading(web, new MainFrame(PAGE + "#/rekap")));
    shadowOf(activity.getApplication()).checkActivities(true);
    Outside.open(activity, Uri.parse("tel:112"));
    assertEquals(Words.NOTHING_OPENS.in(activity), ShadowToast.getTextOfLatestToast());
  }

  @Test public void backGoesThroughThePageThenToThePhone() {
    MainActivity activity = start(null);
    WebView web = web(activity);
    shadowOf(web).pushEntryToHistory(PAGE);
    shadowOf(web).pushEntryToHistory(PAGE + "#/tugas");
    activity.back();
    assertEquals(1, shadowOf(web).getGoBackInvocations());
    web.clearHistory();
    activity.back();
    assertEquals(1, shadowOf(web).getGoBackInvocations());
    assertFalse("the page stays as it is", activity.isFinishing());
  }

  @Test public void theCameraIsForOurPageAloneAndAfterTheOfficersYes() {
    MainActivity activity = start(null);
    Asking other = new Asking("https://evil.example", PermissionRequest.RESOURCE_VIDEO_CAPTURE);
    chrome(web(activity)).onPermissionRequest(other);
    assertEquals("denied", other.became);
    Asking ears = new Asking("https://kawal.example/", PermissionRequest.RESOURCE_VIDEO_CAPTURE, PermissionRequest.RESOURCE_AUDIO_CAPTURE);
    chrome(web(activity)).onPermissionRequest(ears);
    assertEquals("denied", ears.became);
    Asking ours = new Asking("https://kawal.example/", PermissionRequest.RESOURCE_VIDEO_CAPTURE);
    chrome(web(activity)).onPermissionRequest(ours);
    assertNull("waits for the officer", ours.became);
    answerPermission(activity, true);
    assertEquals("granted", ours.became);
  }

  @Test public void thePositionIsForOurPageAlone() {
    MainActivity activity = start(null);
    List<String> said = new ArrayList<>();
    GeolocationPermissions.Callback callback = (origin, isAllowed, isKept) -> said.add(origin + isAllowed + isKept);
    chrome(web(activity)).onGeolocationPermissionsShowPrompt("https://evil.example/", callback);
    chrome(web(activity)).onGeolocationPermissionsShowPrompt("https://kawal.example/", callback);
    answerPermission(activity, false);
    assertEquals("[https://evil.example/falsefalse, https://kawal.example/falsefalse]", said.toString());
    shadowOf(activity.getApplication()).grantPermissions(Manifest.permission.ACCESS_COARSE_LOCATION);
    chrome(web(activity)).onGeolocationPermissionsShowPrompt("https://kawal.example/", callback);
    assertEquals("who chose the approximate place is not asked again", "https://kawal.example/truefalse", said.get(2));
  }

  @Test public void refusedOnceIsAskableRefusedForGoodIsBlocked() throws Exception {
    MainActivity activity = start(null);
    Permits permits = new Permits(activity);
    assertEquals("askable", permits.read().getString("location"));
    int[] no = {PackageManager.PERMISSION_DENIED, PackageManager.PERMISSION_DENIED};
    shadowOf(activity.getPackageManager()).setShouldShowRequestPermissionRationale(Permits.LOCATION[0], true);
    permits.answered(1, Permits.LOCATION, no);
    assertEquals("askable", permits.read().getString("location"));
    shadowOf(activity.getPackageManager()).setShouldShowRequestPermissionRationale(Permits.LOCATION[0], false);
    assertEquals("blocked", permits.read().getString("location"));
    permits.answered(1, new String[0], new int[0]);
    shadowOf(activity.getApplication()).grantPermissions(Manifest.permission.ACCESS_COARSE_LOCATION);
    assertEquals("granted", permits.read().getString("location"));
    assertFalse(permits.read().getBoolean("precise"));
  }

  @Test public void aPhotoOfAFormComesFromTheCameraAppAfterTheOfficersYes() {
    MainActivity activity = start(null);
    shadowOf(activity.getApplication()).grantPermissions(Manifest.permission.CAMERA);
    List<Uri[]> given = new ArrayList<>();
    ValueCallback<Uri[]> callback = given::add;
    assertTrue(chrome(web(activity)).onShowFileChooser(web(activity), callback, new Wanted(true, "image/*")));
    Intent camera = shadowOf(activity).getNextStartedActivity();
    assertEquals(MediaStore.ACTION_IMAGE_CAPTURE, camera.getAction());
    activity.onActivityResult(Chooser.CODE, Activity.RESULT_OK, null);
    assertNull("the camera app wrote nothing", given.get(0));
    chrome(web(activity)).onShowFileChooser(web(activity), callback, new Wanted(false, ".cose", "application/cose"));
    Intent picker = shadowOf(activity).getNextStartedActivity();
    assertEquals(Intent.ACTION_GET_CONTENT, picker.getAction());
    assertEquals("*/*", picker.getType());
    activity.onActivityResult(Chooser.CODE, Activity.RESULT_CANCELED, null);
    assertNull(given.get(1));
  }

  @Config(sdk = 37)
  @Test public void aPageWhoseProcessDiesIsLoadedAgainButNotForEver() {
    MainActivity activity = start(null);
    WebView first = web(activity);
    assertTrue(client(first).onRenderProcessGone(first, null));
    WebView second = web(activity);
    assertNotSame(first, second);
    assertTrue(shadowOf(first).wasDestroyCalled());
    assertEquals(PAGE, shadowOf(second).getLastLoadedUrl());
    for (int death = 1; death < MainActivity.DEATHS_MAX; death++) activity.gone();
    activity.gone();
    assertTrue(textOf(activity).contains(Words.STOPPED.in(activity)));
  }

  @Test public void withoutABrowserInThePhoneAScreenSaysWhatToDo() {
    Agent.version = 0;
    MainActivity activity = start(null);
    assertTrue(textOf(activity).contains("https://kawal.example/sigmon/"));
    activity.back();
    Agent.version = 91;
    assertTrue(textOf(start(null)).contains("91"));
    Agent.version = 92;
    assertNotNull(web(start(null)));
    assertEquals(92, Engine.versionOf("Mozilla/5.0 (Linux; Android 7.0; wv) AppleWebKit/537.36 Version/4.0 Chrome/92.0.4515.131 Mobile Safari/537.36"));
    assertEquals(0, Engine.versionOf(null));
  }

  @Test public void whatThePageShowsIsThereAgainAfterTheProcessWasTakenAway() {
    MainActivity activity = start(null);
    Bundle state = new Bundle();
    controller.saveInstanceState(state).pause().stop().destroy();
    assertTrue(activity.isDestroyed());
    controller = Robolectric.buildActivity(MainActivity.class, view(PAGE + "#tps=1&kode=2")).setup(state);
    String loaded = shadowOf(web(controller.get())).getLastLoadedUrl();
    assertTrue("a letter that was shown is not shown again: " + loaded, loaded == null || !loaded.contains("kode"));
    Intent old = view(PAGE + "#tps=1&kode=2").addFlags(Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY);
    assertEquals(PAGE, shadowOf(web(start(old))).getLastLoadedUrl());
  }

  @Test public void aLetterThatMetNoBrowserIsShownOnceThereIsOne() {
    Agent.version = 0;
    start(view(PAGE + "#tps=1&kode=2"));
    Bundle state = new Bundle();
    controller.saveInstanceState(state).pause().stop().destroy();
    Agent.version = 120;
    controller = Robolectric.buildActivity(MainActivity.class, view(PAGE + "#tps=1&kode=2")).setup(state);
    assertEquals(PAGE + "#tps=1&kode=2", shadowOf(web(controller.get())).getLastLoadedUrl());
  }

  private MainActivity start(Intent intent) {
    controller = Robolectric.buildActivity(MainActivity.class, intent).setup();
    return controller.get();
  }

  private static Intent view(String address) {
    return new Intent(Intent.ACTION_VIEW, Uri.parse(address));
  }

  private static WebView web(MainActivity activity) {
    return (WebView) root(activity).getChildAt(0);
  }

  private static ViewGroup root(MainActivity activity) {
    return (ViewGroup) ((ViewGroup) activity.findViewById(android.R.id.content)).getChildAt(0);
  }

  private static String textOf(MainActivity activity) {
    ViewGroup column = (ViewGroup) ((ViewGroup) root(activity).getChildAt(0)).getChildAt(0);
    return String.valueOf(((TextView) column.getChildAt(0)).getText());
  }

  private static PageClient client(WebView web) {
    return (PageClient) shadowOf(web).getWebViewClient();
  }

  private static PageChrome chrome(WebView web) {
    return (PageChrome) shadowOf(web).getWebChromeClient();
  }

  private static void answerPermission(MainActivity activity, boolean isGranted) {
    org.robolectric.shadows.ShadowActivity.PermissionsRequest asked = shadowOf(activity).getLastRequestedPermission();
    if (isGranted) shadowOf(activity.getApplication()).grantPermissions(asked.requestedPermissions);
    int[] results = new int[asked.requestedPermissions.length];
    java.util.Arrays.fill(results, isGranted ? PackageManager.PERMISSION_GRANTED : PackageManager.PERMISSION_DENIED);
    activity.onRequestPermissionsResult(asked.requestCode, asked.requestedPermissions, results);
  }

  /** What the page would hear: asks are answered on another thread. */
  private static String answer(RoboWebMessagePort ours) throws InterruptedException {
    for (int turn = 0; turn < 500 && ours.getOutgoingMessages().isEmpty(); turn++) {
      ShadowLooper.idleMainLooper();
      Thread.sleep(2);
    }
    return ours.getOutgoingMessages().get(0);
  }

  private static final class Asking extends PermissionRequest {
    private final Uri origin;
    private final String[] resources;
    String became;

    Asking(String origin, String... resources) {
      this.origin = Uri.parse(origin);
      this.resources = resources;
    }

    @Override public Uri getOrigin() {
      return origin;
    }

    @Override public String[] getResources() {
      return resources;
    }

    @Override public void grant(String[] granted) {
      became = "granted";
    }

    @Override public void deny() {
      became = "denied";
    }
  }

  private static final class Wanted extends FileChooserParams {
    private final boolean isCapture;
    private final String[] types;

    Wanted(boolean isCapture, String... types) {
      this.isCapture = isCapture;
      this.types = types;
    }

    @Override public int getMode() {
      return MODE_OPEN;
    }

    @Override public String[] getAcceptTypes() {
      return types;
    }

    @Override public boolean isCaptureEnabled() {
      return isCapture;
    }

    @Override public CharSequence getTitle() {
      return null;
    }

    @Override public String getFilenameHint() {
      return null;
    }

    @Override public Intent createIntent() {
      return new Intent();
    }
  }
}
