import java.io.FileInputStream;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * Client.java WAY PORT NAME VERSION CA_FILE: asks for a page with one version of TLS, prints the server's certificate
 * and the page, or the exception. With SSLv2Hello+VERSION the hello has the SSLv2 format, as that of Java 6.
 */
public class Client {
    public static void main(String[] arguments) throws Exception {
        String way = arguments[0];
        InetSocketAddress gateway = new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[1]));
        String name = arguments[2];
        String[] protocols = arguments[3].replace("1.0", "1").replaceFirst("\\b1", "TLSv1").split("[+]");
        try (Socket plain = reach(way, gateway, name);
                SSLSocket tls = (SSLSocket) factory(arguments[4]).createSocket(plain, name, 443, true)) {
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            tls.setSSLParameters(parameters);
            tls.setEnabledProtocols(protocols);
            String request = "GET / HTTP/1.1\r\nHost: " + name + "\r\nConnection: close\r\n\r\n";
            tls.startHandshake();
            byte[] certificate = tls.getSession().getPeerCertificates()[0].getEncoded();
            System.out.println("-----BEGIN CERTIFICATE-----");
            System.out.println(Base64.getMimeEncoder().encodeToString(certificate));
            System.out.println("-----END CERTIFICATE-----");
            tls.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            System.out.write(tls.getInputStream().readAllBytes());
            System.out.flush();
        } catch (Exception e) {
            System.out.println("error: " + e);
            System.exit(1);
        }
    }

    private static Socket reach(String way, InetSocketAddress gateway, String name) throws Exception {
        Socket socket = way.equals("connect") ? new Socket(new Proxy(Proxy.Type.HTTP, gateway)) : new Socket();
        socket.connect(way.equals("connect") ? InetSocketAddress.createUnresolved(name, 443) : gateway);
        return socket;
    }

    private static SSLSocketFactory factory(String caFile) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream in = new FileInputStream(caFile)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context.getSocketFactory();
    }
}
