package kawal.sinyal.sigmon.radio;

import android.content.Context;
import android.os.Build;
import android.telephony.SubscriptionManager;
import android.telephony.TelephonyManager;
import java.util.ArrayList;
import java.util.List;

/** The SIMs of a phone, by what it tells without READ_PHONE_STATE: no number of a subscriber or handset is ever asked for. */
final class Sims {
  private static final int SLOTS_MAX = 4;

  private Sims() {}

  /** @return one slot for each SIM; none where the phone has none */
  static List<Slot> of(Context context, TelephonyManager whole) {
    int data = dataSubscription();
    List<Slot> slots = new ArrayList<>();
    try {
      if (Build.VERSION.SDK_INT >= 29) Api29.add(slots, context, whole, data);
    } catch (RuntimeException refused) {
      slots.clear();
    }
    if (slots.isEmpty() && !isAbsent(whole)) slots.add(theOne(whole, data));
    return slots;
  }

  /** How many SIMs may be on duty at once. */
  static int count(TelephonyManager whole) {
    try {
      return Math.min(SLOTS_MAX, Build.VERSION.SDK_INT >= 30 ? Api30.count(whole) : whole.getPhoneCount());
    } catch (RuntimeException refused) {
      return 1;
    }
  }

  /** @return MCC and MNC, or null where the text is none: phones write an empty one where they know nothing */
  static String plmn(String told) {
    return told != null && told.matches("[0-9]{5,6}") ? told : null;
  }

  /** Whether both name one network: some phones write a MNC of two digits with three. */
  static boolean isSame(String one, String other) {
    if (one == null || other == null) return false;
    return one.equals(other) || (one.regionMatches(0, other, 0, 3) && Integer.parseInt(one.substring(3)) == Integer.parseInt(other.substring(3)));
  }

  /** Where subscriptions are not told, the phone's own default is the SIM that carries data, and its slot is not known: 0 stands for it. */
  private static Slot theOne(TelephonyManager whole, int data) {
    Slot slot = slot(0, isUsable(data) || count(whole) == 1 ? true : null, isUsable(data) ? whole.createForSubscriptionId(data) : whole);
    slot.isWhole = true;
    return slot;
  }

  private static Slot slot(int slot, Boolean dataSim, TelephonyManager phone) {
    String plmn = null;
    String simPlmn = null;
    try {
      simPlmn = plmn(phone.getSimOperator());
      plmn = plmn(phone.getNetworkOperator());
    } catch (RuntimeException refused) {
      return new Slot(slot, dataSim, plmn, simPlmn, phone);
    }
    return new Slot(slot, dataSim, plmn, simPlmn, phone);
  }

  private static boolean isAbsent(TelephonyManager whole) {
    try {
      return whole.getSimState() == TelephonyManager.SIM_STATE_ABSENT;
    } catch (RuntimeException refused) {
      return false;
    }
  }

  private static int dataSubscription() {
    try {
      int active = Build.VERSION.SDK_INT >= 30 ? Api30.active() : SubscriptionManager.INVALID_SUBSCRIPTION_ID;
      return isUsable(active) ? active : SubscriptionManager.getDefaultDataSubscriptionId();
    } catch (RuntimeException refused) {
      return SubscriptionManager.INVALID_SUBSCRIPTION_ID;
    }
  }

  /** An empty slot has an id below zero (-2 less its number), "the default one" is INT_MAX. */
  private static boolean isUsable(int subscription) {
    return subscription >= 0 && subscription < Integer.MAX_VALUE;
  }

  private static final class Api29 {
    static void add(List<Slot> slots, Context context, TelephonyManager whole, int data) {
      SubscriptionManager subscriptions = (SubscriptionManager) context.getSystemService(Context.TELEPHONY_SUBSCRIPTION_SERVICE);
      int count = count(whole);
      for (int slot = 0; slot < count && subscriptions != null; slot++) {
        int subscription = Build.VERSION.SDK_INT >= 34 ? Api34.subscription(slot) : subscription(subscriptions.getSubscriptionIds(slot), data);
        boolean dataSim = isUsable(data) && (subscription == data || SubscriptionManager.getSlotIndex(data) == slot);
        if (isUsable(subscription)) slots.add(slot(slot, dataSim, whole.createForSubscriptionId(subscription)));
      }
      boolean isTold = false;
      for (Slot slot : slots) isTold |= slot.dataSim;
      if (!isTold) for (Slot slot : slots) slot.dataSim = null;
    }

    /** A slot with an eSIM may hold several subscriptions: the one that carries data speaks for it, else the first. */
    private static int subscription(int[] told, int data) {
      int found = SubscriptionManager.INVALID_SUBSCRIPTION_ID;
      for (int each : told == null ? new int[0] : told) if (each == data || !isUsable(found)) found = each;
      return found;
    }
  }

  private static final class Api30 {
    static int active() {
      return SubscriptionManager.getActiveDataSubscriptionId();
    }

    static int count(TelephonyManager whole) {
      return whole.getActiveModemCount();
    }
  }

  private static final class Api34 {
    static int subscription(int slot) {
      return SubscriptionManager.getSubscriptionId(slot);
    }
  }
}
