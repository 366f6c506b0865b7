package kawal.sinyal.sigmon.duty;

import static org.junit.Assert.assertEquals;

import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = {24, 37}, manifest = Config.NONE)
public class TrustTest {
  @Test public void newerIsTakenOlderAndForgedAreNot() throws Exception {
    KeyPair pair = pair();
    try (World world = new World(1)) {
      JSONObject key = jwk(pair);
      JSONObject order = world.order().put("keys", new JSONArray().put(key));
      order.getJSONObject("config").put("keys", new JSONArray().put(key));
      world.duty.start(new Order(order));
      world.platform.intervalS = 120;
      JSONObject config = new JSONObject(order.getJSONObject("config").toString());
      assertEquals(3, after(world, jws(config.put("version", 2), key, pair)));
      assertEquals(3, after(world, jws(config.put("version", 9), key, pair()).toString()));
      assertEquals(3, after(world, jws(new JSONObject(config.toString()).put("intervalS", 1), key, pair)));
      assertEquals(9, after(world, jws(config, key, pair)));
      assertEquals(9, after(world, jws(config.put("version", 8), key, pair)));
    }
  }

  private static long after(World world, String jws) {
    world.platform.config = jws;
    world.platform.intervalS = world.platform.intervalS == 120 ? 180 : 120;
    int before = world.platform.configs;
    for (int i = 0; i < 10 && world.platform.configs == before; i++) world.live(600_000);
    assertEquals("asked", true, world.platform.configs > before);
    return world.duty.standing().config.version;
  }

  private static KeyPair pair() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    return generator.generateKeyPair();
  }

  private static JSONObject jwk(KeyPair pair) throws Exception {
    ECPublicKey key = (ECPublicKey) pair.getPublic();
    JSONObject jwk = new JSONObject().put("x", text(wide(key.getW().getAffineX()))).put("y", text(wide(key.getW().getAffineY())));
    return jwk.put("kid", Trust.thumbprint(jwk));
  }

  private static String jws(JSONObject payload, JSONObject key, KeyPair pair) throws Exception {
    String signed = text(new JSONObject().put("alg", "ES256").put("kid", key.getString("kid")).toString().getBytes()) + "." + text(payload.toString().getBytes());
    Signature signer = Signature.getInstance("SHA256withECDSA");
    signer.initSign(pair.getPrivate());
    signer.update(signed.getBytes());
    byte[] der = signer.sign();
    int r = der[3];
    byte[] both = new byte[64];
    System.arraycopy(wide(new BigInteger(Arrays.copyOfRange(der, 4, 4 + r))), 0, both, 0, 32);
    System.arraycopy(wide(new BigInteger(Arrays.copyOfRange(der, 6 + r, der.length))), 0, both, 32, 32);
    return signed + "." + text(both);
  }

  private static byte[] wide(BigInteger value) {
    byte[] bytes = value.toByteArray();
    byte[] wide = new byte[32];
    int from = Math.max(0, bytes.length - 32);
    System.arraycopy(bytes, from, wide, 32 - (bytes.length - from), bytes.length - from);
    return wide;
  }

  private static String text(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
