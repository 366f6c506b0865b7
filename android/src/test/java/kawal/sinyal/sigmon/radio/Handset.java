package kawal.sinyal.sigmon.radio;

import android.content.Context;
import android.telephony.CellInfo;
import android.telephony.SignalStrength;
import android.telephony.SubscriptionManager;
import android.telephony.TelephonyManager;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;
import org.robolectric.shadow.api.Shadow;
import org.robolectric.shadows.ShadowSubscriptionManager;
import org.robolectric.shadows.ShadowTelephonyManager;

/** A phone with as many SIMs as a test puts in, each with an id of its own, as Robolectric's has not. */
final class Handset {
  /** What the modem does when it is asked to measure. */
  enum Answer { ANSWERS, FAILS, IS_SILENT, THROWS }

  static final class Sim {
    final int slot;
    String plmn = "51010";
    String simPlmn = "51010";
    Answer answer = Answer.ANSWERS;
    List<CellInfo> measured = new ArrayList<>();
    SignalStrength strength;

    Sim(int slot) {
      this.slot = slot;
    }
  }

  static final Map<Integer, Sim> sims = new TreeMap<>();
  static int modems;
  static int data;
  static int phoneType;
  static boolean tellsSubscriptions;
  /** Of all radios: null is a modem that gives no list. */
  static List<CellInfo> remembered;
  static int questions;
  static List<Runnable> pending = new ArrayList<>();

  private Handset() {}

  static void reset() {
    sims.clear();
    pending.clear();
    modems = 1;
    data = SubscriptionManager.INVALID_SUBSCRIPTION_ID;
    phoneType = TelephonyManager.PHONE_TYPE_GSM;
    tellsSubscriptions = true;
    remembered = new ArrayList<>();
    questions = 0;
  }

  static Sim insert(int slot, int subscription) {
    Sim sim = new Sim(slot);
    sims.put(subscription, sim);
    modems = Math.max(modems, slot + 1);
    if (data < 0) data = subscription;
    return sim;
  }

  @Implements(TelephonyManager.class)
  public static class Phone extends ShadowTelephonyManager {
    private int subscription = -1;

    private Sim sim() {
      return sims.get(subscription < 0 ? data : subscription);
    }

    @Implementation @Override protected TelephonyManager createForSubscriptionId(int id) {
      TelephonyManager made = Shadow.newInstance(TelephonyManager.class, new Class<?>[] {Context.class, int.class}, new Object[] {RuntimeEnvironment.getApplication(), id});
      Shadow.<Phone>extract(made).subscription = id;
      return made;
    }

    @Implementation @Override protected String getSimOperator() {
      return sim() == null ? "" : sim().simPlmn;
    }

    @Implementation @Override protected String getNetworkOperator() {
      return sim() == null ? "" : sim().plmn;
    }

    @Implementation @Override protected int getSimState() {
      return sims.isEmpty() ? TelephonyManager.SIM_STATE_ABSENT : TelephonyManager.SIM_STATE_READY;
    }

    @Implementation @Override protected int getPhoneType() {
      return phoneType;
    }

    @Implementation @Override protected int getPhoneCount() {
      return modems;
    }

    @Implementation(minSdk = 30) @Override protected int getActiveModemCount() {
      return modems;
    }

    @Implementation @Override protected List<CellInfo> getAllCellInfo() {
      return remembered == null ? null : Collections.unmodifiableList(remembered);
    }

    @Implementation(minSdk = 28) @Override protected SignalStrength getSignalStrength() {
      return sim() == null ? null : sim().strength;
    }

    @Implementation(minSdk = 29) @Override protected void requestCellInfoUpdate(Executor executor, Object given) {
      TelephonyManager.CellInfoCallback callback = (TelephonyManager.CellInfoCallback) given;
      questions++;
      Sim sim = sim();
      Answer answer = sim == null ? Answer.FAILS : sim.answer;
      if (answer == Answer.THROWS) throw new SecurityException("a maker's own idea");
      if (answer == Answer.FAILS) executor.execute(() -> callback.onError(TelephonyManager.CellInfoCallback.ERROR_MODEM_ERROR, null));
      if (answer == Answer.ANSWERS) executor.execute(() -> callback.onCellInfo(sim.measured));
      if (answer == Answer.IS_SILENT) pending.add(() -> executor.execute(() -> callback.onCellInfo(sim.measured)));
    }
  }

  @Implements(SubscriptionManager.class)
  public static class Subscriptions extends ShadowSubscriptionManager {
    @Implementation protected static int getDefaultDataSubscriptionId() {
      return data;
    }

    @Implementation(minSdk = 30) protected static int getActiveDataSubscriptionId() {
      return data;
    }

    @Implementation(minSdk = 29) @Override protected int[] getSubscriptionIds(int slot) {
      int found = getSubscriptionId(slot);
      return tellsSubscriptions ? new int[] {found} : null;
    }

    @Implementation(minSdk = 34) protected static int getSubscriptionId(int slot) {
      for (Map.Entry<Integer, Sim> each : sims.entrySet()) if (tellsSubscriptions && each.getValue().slot == slot) return each.getKey();
      // what Android gives for an empty slot
      return -2 - slot;
    }

    @Implementation(minSdk = 29) protected static int getSlotIndex(int subscription) {
      return sims.containsKey(subscription) ? sims.get(subscription).slot : SubscriptionManager.INVALID_SIM_SLOT_INDEX;
    }
  }
}
