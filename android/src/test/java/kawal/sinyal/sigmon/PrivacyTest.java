package kawal.sinyal.sigmon;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.Test;

/** No number of a subscriber, handset or card, no contacts, calls or messages: nothing in the package can ask for them. */
public class PrivacyTest {
  private static final Pattern METHOD = Pattern.compile("android/\\S+ (getDeviceId|getImei|getMeid|getPrimaryImei|getDeviceSoftwareVersion|getTypeAllocationCode|getManufacturerCode|getSubscriberId|getSimSerialNumber|getLine1Number|getMsisdn|getPhoneNumber"
    + "|getVoiceMailNumber|getVoiceMailAlphaTag|getIccId|getCardId|getCardString|getUiccCardsInfo|getGroupIdLevel1|getNai|getSerial|getCallState|getAccounts.*|getActiveSubscriptionInfo.*|getMacAddress|getHardwareAddress)\\(.*");
  private static final Pattern TYPE = Pattern.compile("android/(telephony/SubscriptionInfo|telephony/Sms.*|provider/(CallLog|ContactsContract|Contacts|Telephony|BlockedNumberContract|VoicemailContract).*|telecom/.*|accounts/.*)|com/google/.*");
  private static final Pattern FIELD = Pattern.compile("android/os/Build SERIAL#.*");
  private static final Pattern TEXT = Pattern.compile("android_id|ro\\.(boot\\.)?serialno|.*\\b(READ_PHONE_STATE|READ_PRIVILEGED_PHONE_STATE|READ_PHONE_NUMBERS|READ_BASIC_PHONE_STATE|READ_CALL_LOG|READ_CONTACTS|READ_SMS|GET_ACCOUNTS|AD_ID)\\b.*", Pattern.DOTALL);

  @Test public void noClassAsksForWhoThePersonOrThePhoneIs() throws Exception {
    List<Compiled> classes = Compiled.shell();
    assertTrue("there are classes", classes.size() > 10);
    List<String> found = new ArrayList<>();
    for (Compiled each : classes) found.addAll(found(each));
    assertEquals(Collections.emptyList(), found);
  }

  @Test public void theManifestAsksForNoSuchPermission() throws Exception {
    Path manifest = Paths.get("AndroidManifest.xml");
    if (Files.exists(manifest)) assertTrue(!TEXT.matcher(new String(Files.readAllBytes(manifest), "UTF-8")).matches());
    assertTrue("one is found", TEXT.matcher("<manifest>\n<uses-permission android:name=\"android.permission.READ_PHONE_STATE\" />\n</manifest>").matches());
  }

  @Test public void whatAsksIsFound() throws Exception {
    List<String> found = found(Compiled.of(Nosy.class));
    assertEquals(found.toString(), 5, found.size());
  }

  static final class Nosy {
    static Object[] plant(android.content.Context context, android.telephony.TelephonyManager phone, android.telephony.SubscriptionInfo sim) {
      return new Object[] {phone.getImei(), sim.getIccId(), android.os.Build.SERIAL, android.provider.Settings.Secure.getString(context.getContentResolver(), android.provider.Settings.Secure.ANDROID_ID)};
    }
  }

  private static List<String> found(Compiled compiled) throws IOException {
    List<String> found = new ArrayList<>();
    for (String each : compiled.methods) if (METHOD.matcher(each).matches()) found.add(compiled.name + ": " + each);
    for (String each : compiled.types) if (TYPE.matcher(each).matches()) found.add(compiled.name + ": " + each);
    for (String each : compiled.fields) if (FIELD.matcher(each).matches()) found.add(compiled.name + ": " + each);
    for (String each : compiled.texts) if (TEXT.matcher(each).matches()) found.add(compiled.name + ": " + each);
    return found;
  }
}
