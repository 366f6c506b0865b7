package kawal.sinyal.sigmon.shell;

import android.webkit.ServiceWorkerClient;
import android.webkit.ServiceWorkerController;
import android.webkit.ServiceWorkerWebSettings;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;

/** Robolectric has no service workers: keeps whom the shell lets answer them. */
@Implements(ServiceWorkerController.class)
public class Worker {
  static ServiceWorkerClient client;

  @Implementation protected static ServiceWorkerController getInstance() {
    return new ServiceWorkerController() {
      @Override public ServiceWorkerWebSettings getServiceWorkerWebSettings() {
        return new Settings();
      }

      @Override public void setServiceWorkerClient(ServiceWorkerClient given) {
        client = given;
      }
    };
  }

  private static final class Settings extends ServiceWorkerWebSettings {
    @Override public void setCacheMode(int mode) {
    }

    @Override public int getCacheMode() {
      return 0;
    }

    @Override public void setAllowContentAccess(boolean isAllowed) {
    }

    @Override public boolean getAllowContentAccess() {
      return false;
    }

    @Override public void setAllowFileAccess(boolean isAllowed) {
    }

    @Override public boolean getAllowFileAccess() {
      return false;
    }

    @Override public void setBlockNetworkLoads(boolean isBlocked) {
    }

    @Override public boolean getBlockNetworkLoads() {
      return false;
    }
  }
}
