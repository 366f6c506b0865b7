package kawal.sinyal.sigmon.shell;

import android.annotation.TargetApi;
import android.app.Activity;
import android.content.Intent;
import android.graphics.Insets;
import android.net.Uri;
import android.os.Build;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.view.View;
import android.view.ViewGroup.LayoutParams;
import android.view.WindowInsets;
import android.webkit.ServiceWorkerClient;
import android.webkit.ServiceWorkerController;
import android.webkit.WebMessage;
import android.webkit.WebMessagePort;
import android.webkit.WebResourceRequest;
import android.webkit.WebResourceResponse;
import android.webkit.WebSettings;
import android.webkit.WebView;
import android.widget.FrameLayout;
import android.window.OnBackInvokedCallback;
import android.window.OnBackInvokedDispatcher;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import kawal.sinyal.sigmon.Clock;
import kawal.sinyal.sigmon.Platform;
import kawal.sinyal.sigmon.duty.Duty;
import kawal.sinyal.sigmon.radio.RadioReader;
import org.json.JSONException;

/** The one screen: Sigmon in a WebView, and the port between the two. */
public final class MainActivity extends Activity implements PageClient.Screen {
  /** A page whose process dies so often in a row is not loaded again by itself. */
  static final int DEATHS_MAX = 3;
  private static final long DEATHS_WITHIN_MS = 60_000;
  private static final String SHOWN = "shown";

  private final Handler main = new Handler(Looper.getMainLooper());
  private final Runnable dutyChanged = new Runnable() {
    @Override public void run() {
      tellDuty();
    }
  };
  private ExecutorService background;
  private Permits permits;
  private Chooser chooser;
  private Saver saver;
  private ShellAsks asks;
  private PackageFiles files;
  private String origin;
  private FrameLayout root;
  private WebView web;
  private Port port;
  private WebMessagePort pagePort;
  private int deaths;
  private long firstDeathAt;
  private int letters;

  @Override protected void onCreate(Bundle saved) {
    super.onCreate(saved);
    root = new FrameLayout(this);
    root.setBackgroundColor(Colours.GROUND);
    if (Build.VERSION.SDK_INT >= 30) Api30.keepInside(root);
    setContentView(root);
    if (Build.VERSION.SDK_INT >= 33) Api33.takeBack(this);
    background = Executors.newSingleThreadExecutor();
    permits = new Permits(this);
    chooser = new Chooser(this, permits);
    saver = new Saver(this, background);
    asks = new ShellAsks(this, new RadioReader(getApplicationContext(), Clock.SYSTEM), permits, saver);
    origin = Platform.origin(this);
    files = new PackageFiles(new PackageFiles.Source() {
      @Override public InputStream open(String path) throws IOException {
        return getAssets().open(path);
      }
    }, origin);
    if (saved == null) Photos.clear(this, Clock.SYSTEM.now());
    Duty.listen(dutyChanged);
    open(saved);
  }

  private void open(Bundle saved) {
    int version = Engine.version(this);
    if (version < Engine.VERSION_MIN) {
      root.addView(Plain.noEngine(this, version));
      return;
    }
    showPage();
    // A letter that was shown once is not shown again; one that met a phone without a browser still is.
    boolean wasShown = saved != null && saved.getBoolean(SHOWN);
    if (!wasShown) web.loadUrl(letterOf(getIntent(), origin + "/sigmon/"));
    else if (web.restoreState(saved) == null) web.loadUrl(origin + "/sigmon/");
  }

  private void showPage() {
    root.removeAllViews();
    web = new WebView(this);
    web.setBackgroundColor(Colours.paper(this));
    set(web.getSettings());
    web.setWebViewClient(PageClient.of(files, this));
    web.setWebChromeClient(new PageChrome(origin, permits, chooser));
    answerWorker(files);
    root.addView(web, new FrameLayout.LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.MATCH_PARENT));
  }

  private static void set(WebSettings settings) {
    settings.setJavaScriptEnabled(true);
    settings.setDomStorageEnabled(true);
    settings.setGeolocationEnabled(true);
    // The camera's picture for the QR plays by itself.
    settings.setMediaPlaybackRequiresUserGesture(false);
    settings.setMixedContentMode(WebSettings.MIXED_CONTENT_NEVER_ALLOW);
    settings.setAllowFileAccess(false);
    settings.setAllowContentAccess(false);
    if (Build.VERSION.SDK_INT >= 26) Api26.askNobody(settings);
  }

  /** The worker that keeps the page's files fetches by itself: it gets the package's too. */
  private static void answerWorker(final PackageFiles files) {
    ServiceWorkerController controller = ServiceWorkerController.getInstance();
    controller.getServiceWorkerWebSettings().setAllowFileAccess(false);
    controller.getServiceWorkerWebSettings().setAllowContentAccess(false);
    controller.setServiceWorkerClient(new ServiceWorkerClient() {
      @Override public WebResourceResponse shouldInterceptRequest(WebResourceRequest request) {
        return files.answer(request);
      }
    });
  }

  @Override protected void onNewIntent(Intent intent) {
    super.onNewIntent(intent);
    setIntent(intent);
    String letter = letterOf(intent, null);
    // Of an address that differs behind # alone the page would not be loaded, and a letter is read at the start.
    if (letter != null && web != null) web.loadUrl(Uri.parse(letter).buildUpon().appendQueryParameter("buka", String.valueOf(++letters)).build().toString());
  }

  /** Any app may send any address: only the package's own page is opened. What comes from the list of recent apps is an old letter. */
  private String letterOf(Intent intent, String otherwise) {
    boolean isNew = intent != null && (intent.getFlags() & Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY) == 0;
    String address = isNew ? intent.getDataString() : null;
    return address != null && Intent.ACTION_VIEW.equals(intent.getAction()) && files.isOurs(address) ? address : otherwise;
  }

  @Override public void left() {
    if (pagePort != null) pagePort.close();
    pagePort = null;
    port = null;
  }

  @Override public void arrived() {
    if (port != null || web == null) return;
    WebMessagePort[] ends = web.createWebMessageChannel();
    final WebMessagePort end = ends[0];
    pagePort = end;
    final Port opened = new Port(asks, background, new Port.Page() {
      @Override public void post(String text) {
        send(end, text);
      }
    });
    port = opened;
    end.setWebMessageCallback(new WebMessagePort.WebMessageCallback() {
      @Override public void onMessage(WebMessagePort from, WebMessage message) {
        if (message.getData() != null && port == opened) opened.take(message.getData());
      }
    });
    web.postWebMessage(new WebMessage("kawal-shell", new WebMessagePort[] {ends[1]}), Uri.parse(origin));
  }

  private void send(final WebMessagePort end, final String text) {
    main.post(new Runnable() {
      @Override public void run() {
        if (end == pagePort) end.postMessage(new WebMessage(text));
      }
    });
  }

  @Override public void outside(Uri address) {
    Outside.open(this, address);
  }

  @Override public void gone() {
    WebView dead = web;
    String address = dead.getUrl();
    left();
    web = null;
    root.removeAllViews();
    dead.destroy();
    long now = Clock.SYSTEM.elapsed();
    if (now - firstDeathAt > DEATHS_WITHIN_MS) deaths = 0;
    if (deaths++ == 0) firstDeathAt = now;
    if (deaths > DEATHS_MAX) {
      root.addView(Plain.stopped(this));
      return;
    }
    showPage();
    web.loadUrl(address != null && files.isOurs(address) ? address : origin + "/sigmon/");
  }

  private void tellDuty() {
    try {
      background.execute(new Runnable() {
        @Override public void run() {
          Port to = port;
          if (to != null) to.tell("duty", Duty.stateBehind(getApplicationContext()));
        }
      });
    } catch (RejectedExecutionException closed) {
      // The screen is gone; whoever comes next asks anew.
    }
  }

  @Override protected void onResume() {
    super.onResume();
    if (web != null) web.onResume();
    // The officer may come back from the settings.
    try {
      if (port != null) port.tell("permissions", permits.read());
    } catch (JSONException error) {
      throw new IllegalStateException(error);
    }
  }

  @Override protected void onSaveInstanceState(Bundle state) {
    super.onSaveInstanceState(state);
    if (web == null) return;
    web.saveState(state);
    state.putBoolean(SHOWN, true);
  }

  @Override protected void onDestroy() {
    Duty.unlisten(dutyChanged);
    left();
    root.removeAllViews();
    if (web != null) web.destroy();
    web = null;
    background.shutdown();
    super.onDestroy();
  }

  @Override public void onRequestPermissionsResult(int code, String[] permissions, int[] results) {
    permits.answered(code, permissions, results);
  }

  @Override protected void onActivityResult(int code, int result, Intent data) {
    if (code == Chooser.CODE) chooser.answered(result, data);
    else if (code == Saver.CODE) saver.answered(result, data);
  }

  @Override public void onBackPressed() {
    back();
  }

  /** Back through the page's own history, then to the phone; the page stays as it is. */
  void back() {
    if (web != null && web.canGoBack()) web.goBack();
    else moveTaskToBack(true);
  }

  @TargetApi(26)
  private static final class Api26 {
    static void askNobody(WebSettings settings) {
      settings.setSafeBrowsingEnabled(false);
    }
  }

  /** From Android 15 on an app draws behind the bars and the keyboard; before that the system gives no insets here. */
  @TargetApi(30)
  private static final class Api30 {
    static void keepInside(View view) {
      view.setOnApplyWindowInsetsListener(new View.OnApplyWindowInsetsListener() {
        @Override public WindowInsets onApplyWindowInsets(View each, WindowInsets given) {
          Insets bars = given.getInsets(WindowInsets.Type.systemBars() | WindowInsets.Type.displayCutout() | WindowInsets.Type.ime());
          each.setPadding(bars.left, bars.top, bars.right, bars.bottom);
          return WindowInsets.CONSUMED;
        }
      });
    }
  }

  /** Apps for Android 16 and newer get no `onBackPressed` any more. */
  @TargetApi(33)
  private static final class Api33 {
    static void takeBack(final MainActivity activity) {
      activity.getOnBackInvokedDispatcher().registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, new OnBackInvokedCallback() {
        @Override public void onBackInvoked() {
          activity.back();
        }
      });
    }
  }
}
