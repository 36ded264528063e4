"""Everything that can be found wrong: ids, order and texts, as data.

To look at something new, add a `Link` here and a function of the same id in `chain`.
`docs/troubleshooting.md` is written from this table.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ha_bridge_ops.check.model import Cause, Link, Status

_FAILED: Final = Status.FAILED
_WARNING: Final = Status.WARNING

#: What the user sees when more than one cause looks the same.
_NO_ANSWER: Final = "Alexa: “… is not responding.”"
_NO_LINK: Final = "Alexa app: “We were unable to link … at this time.”"
_NO_DEVICES: Final = "Alexa app: “No new devices found.”"
_LAMBDA_TEST: Final = "Test in the Lambda console: "

_YAML: Final = "alexa:\n  smart_home:"

SETTINGS: Final = (
    Link(
        "settings.base_url",
        "BASE_URL can be read",
        (
            Cause(
                "missing",
                _FAILED,
                _LAMBDA_TEST + "“BASE_URL is not set”",
                "Nothing can be reached without an address.",
                "Put the address of Home Assistant, as it is reached from outside, "
                "into the environment or into .env:",
                "BASE_URL=https://home.example.org",
            ),
            Cause(
                "malformed",
                _FAILED,
                _LAMBDA_TEST + "“A setting of the function is wrong (BASE_URL …)”",
                "The function answers every directive with INTERNAL_ERROR.",
                "Write the address only, without quotes, user name or question mark:",
                "BASE_URL=https://home.example.org",
            ),
        ),
    ),
    Link(
        "settings.not_verify_ssl",
        "NOT_VERIFY_SSL is off",
        (
            Cause(
                "on",
                _WARNING,
                "None; it works.",
                "Whoever sits on the way can read the token. It does not help account "
                "linking either: there Amazon checks the certificate itself.",
                "Use a certificate that is trusted, then delete the variable "
                "NOT_VERIFY_SSL.",
            ),
            Cause(
                "malformed",
                _FAILED,
                _LAMBDA_TEST
                + "“A setting of the function is wrong (NOT_VERIFY_SSL …)”",
                "The function answers every directive with INTERNAL_ERROR.",
                "Delete the variable, or write:",
                "NOT_VERIFY_SSL=false",
            ),
        ),
    ),
    Link(
        "settings.debug",
        "DEBUG is off",
        (
            Cause(
                "on",
                _WARNING,
                "None; it works, and CloudWatch holds much.",
                "Each directive and answer is logged: what you say and what is at "
                "home. Tokens are left out.",
                "Delete the variable DEBUG when you have seen what you wanted.",
            ),
            Cause(
                "malformed",
                _FAILED,
                _LAMBDA_TEST + "“A setting of the function is wrong (DEBUG …)”",
                "The function answers every directive with INTERNAL_ERROR.",
                "Delete the variable, or write:",
                "DEBUG=false",
            ),
        ),
    ),
    Link(
        "settings.long_lived_access_token",
        "LONG_LIVED_ACCESS_TOKEN is only for tests",
        (
            Cause(
                "set",
                _WARNING,
                "None; tests in the Lambda console work without a linked account.",
                "Right for this check and for tests. In the function it would let "
                "anyone who may invoke it control your home.",
                "Keep it in .env here; delete it from the function when you are done.",
            ),
            Cause(
                "malformed",
                _FAILED,
                _LAMBDA_TEST + "“The token has characters that cannot stand in an "
                "HTTP header”, or 401",
                "It cannot be what Home Assistant gave you.",
                "Copy the token again, without quotes, spaces or the word Bearer:",
                "LONG_LIVED_ACCESS_TOKEN=eyJ…",
            ),
        ),
    ),
)

ADDRESS: Final = (
    Link(
        "address.https",
        "BASE_URL starts with https",
        (
            Cause(
                "http",
                _FAILED,
                _NO_LINK,
                "Amazon links accounts over https only, and the token of your home "
                "would travel in clear.",
                "Give Home Assistant a certificate, by a proxy, by a tunnel or by "
                "Let’s Encrypt, and set:",
                "BASE_URL=https://{host}",
            ),
        ),
    ),
    Link(
        "address.port",
        "the port is 443",
        (
            Cause(
                "other",
                _WARNING,
                _NO_LINK,
                "Amazon asks for port 443 in account linking. Another port has been "
                "reported to work, but not for everyone.",
                "Forward port 443 of your router to Home Assistant or its proxy, and "
                "leave the port out of the address:",
                "BASE_URL=https://{host}",
            ),
        ),
    ),
    Link(
        "address.dns",
        "the name resolves",
        (
            Cause(
                "unknown",
                _FAILED,
                _NO_ANSWER + " Log: “No address associated with hostname”",
                "There is no such name, so nobody can find your home.",
                "Check the spelling in BASE_URL, and at your DNS provider that the "
                "name has an A record. See what the world sees:",
                "nslookup {host} 1.1.1.1",
            ),
            Cause(
                "timeout",
                _FAILED,
                _NO_ANSWER,
                "The name server did not answer.",
                "Try again; if it stays, check this machine’s network and:",
                "nslookup {host} 1.1.1.1",
            ),
        ),
    ),
    Link(
        "address.ipv4",
        "the name has an IPv4 address",
        (
            Cause(
                "only_ipv6",
                _FAILED,
                _NO_ANSWER + " Log: “Address family not supported”",
                "A Lambda function outside a VPC has no way out over IPv6. This is "
                "usual where the provider shares IPv4 addresses (DS-Lite, CGNAT).",
                "Use a tunnel that gives you an IPv4 address (Cloudflare Tunnel, "
                "Tailscale Funnel) or a small server with one, and point the A record "
                "of {host} there.",
            ),
        ),
    ),
    Link(
        "address.public",
        "the address is one that AWS can reach",
        (
            Cause(
                "private",
                _FAILED,
                _NO_ANSWER + " Log: “Home Assistant did not answer in time”",
                "This address exists in your home or your provider’s network only; "
                "AWS cannot reach it.",
                "Point {host} at the public address of your router and forward port "
                "443, or use a tunnel. If your own router answers so, and only at "
                "home, see it from outside:",
                "nslookup {host} 1.1.1.1",
            ),
        ),
    ),
    Link(
        "address.redirect",
        "the address does not lead on to another",
        (
            Cause(
                "redirects",
                _FAILED,
                _LAMBDA_TEST + "401, or “BASE_URL redirects to another address”",
                "A redirect loses the token or gives it away, so it is not followed.",
                "Set the final address:",
                "BASE_URL={target}",
            ),
            Cause(
                "unclear",
                _FAILED,
                _LAMBDA_TEST + "“BASE_URL redirects to another address”",
                "A redirect loses the token or gives it away, so it is not followed.",
                "Open the address in a browser, and set BASE_URL to what then stands "
                "in its address bar, without the path.",
            ),
        ),
    ),
)

TLS: Final = (
    Link(
        "tls.certificate",
        "the certificate is trusted, by Python as by Amazon",
        (
            Cause(
                "self_signed",
                _FAILED,
                _NO_LINK + " Log: CERTIFICATE_VERIFY_FAILED",
                "The server vouches for itself; neither Amazon nor the function "
                "believes it.",
                "Get a certificate from a public authority, such as Let’s Encrypt. "
                "NOT_VERIFY_SSL would not help account linking.",
            ),
            Cause(
                "untrusted",
                _FAILED,
                _NO_LINK + " Log: CERTIFICATE_VERIFY_FAILED",
                "The authority that issued it is not one that everybody trusts, or "
                "the certificates between are missing.",
                "Get a certificate from a public authority, such as Let’s Encrypt, "
                "and serve fullchain.pem.",
            ),
            Cause(
                "incomplete",
                _FAILED,
                "The browser shows a padlock, yet the log says "
                "CERTIFICATE_VERIFY_FAILED, and the app “unable to link”",
                "The server sends its own certificate but not the one between it and "
                "the authority. Browsers fetch that themselves; Python does not.",
                "Serve the full chain: fullchain.pem where you now have cert.pem. In "
                "Home Assistant’s own settings that is:",
                "ssl_certificate: /ssl/fullchain.pem",
            ),
            Cause(
                "name",
                _FAILED,
                _NO_LINK + " Log: “Hostname mismatch”",
                "The certificate is for another name than the one in BASE_URL.",
                "Use the name that the certificate has in BASE_URL, or get a "
                "certificate for {host}.",
            ),
            Cause(
                "expired",
                _FAILED,
                "Everything stopped one day. Log: “certificate has expired”",
                "Nobody accepts it any more.",
                "Renew it, and let the server load it: for Let’s Encrypt run",
                "certbot renew",
            ),
            Cause(
                "not_yet",
                _FAILED,
                _NO_LINK + " Log: “certificate is not yet valid”",
                "Its time begins in the future: more often a clock is wrong.",
                "Set the clock of this machine and of the one that made the "
                "certificate.",
            ),
            Cause(
                "not_tls",
                _FAILED,
                "Log: WRONG_VERSION_NUMBER",
                "Something listens there, but it speaks plain http or another "
                "protocol altogether.",
                "Give the port that speaks https, or put a certificate there. Home "
                "Assistant’s own port 8123 speaks http unless it was given one.",
            ),
            Cause(
                "failed",
                _FAILED,
                _NO_ANSWER
                + " Log: “No TLS connection to Home Assistant could be made”",
                "Client and server found no common way to encrypt, or the server "
                "wants a certificate of the client.",
                "Let the proxy offer TLS 1.2 or 1.3 with its usual ciphers, and ask "
                "for no client certificate at {host}.",
            ),
            Cause(
                "soon",
                _WARNING,
                "None yet.",
                "It has not been renewed in time; when it ends, everything stops.",
                "See why the renewal does not run; for Let’s Encrypt:",
                "certbot renew --dry-run",
            ),
        ),
    ),
)

HOME: Final = (
    Link(
        "ha.reachable",
        "somebody answers",
        (
            Cause(
                "refused",
                _FAILED,
                _NO_ANSWER + " Log: “The connection to Home Assistant was refused”",
                "The machine is there, but nothing listens on that port.",
                "Start Home Assistant or the proxy; check the port in BASE_URL and "
                "where the router forwards it.",
            ),
            Cause(
                "timeout",
                _FAILED,
                _NO_ANSWER + " Log: “Task timed out after 3.00 seconds”",
                "Nobody answers there: a port that is not forwarded, a firewall, or "
                "an old address.",
                "Check that {host} has your present public address, that the router "
                "forwards the port, and that no firewall drops it.",
            ),
            Cause(
                "unreachable",
                _FAILED,
                _NO_ANSWER,
                "There is no way to this address from here.",
                "Check the network of this machine, and the address behind {host}.",
            ),
            Cause(
                "reset",
                _FAILED,
                _NO_ANSWER + " Log: “The connection to Home Assistant broke off”",
                "Somebody takes the call and hangs up: Home Assistant while it "
                "restarts, or a proxy, tunnel or firewall.",
                "Try again in a minute; if it stays, read the log of the proxy or "
                "tunnel.",
            ),
            Cause(
                "silent",
                _FAILED,
                _NO_ANSWER,
                "The connection stands, but no answer comes.",
                "Look at the load of Home Assistant’s machine, restart Home "
                "Assistant, and read its log.",
            ),
            Cause(
                "not_http",
                _FAILED,
                _NO_ANSWER,
                "What answers does not speak HTTP.",
                "Check the port in BASE_URL.",
            ),
            Cause(
                "gateway",
                _FAILED,
                _NO_ANSWER + " Log: “The proxy or tunnel answered, but Home Assistant "
                "behind it did not”",
                "Proxy or tunnel are up, Home Assistant behind them is not, or they "
                "look for it in the wrong place.",
                "Start Home Assistant, and check the address it has in the proxy’s or "
                "tunnel’s settings (http, its local IP and port 8123).",
            ),
        ),
    ),
    Link(
        "ha.is_home_assistant",
        "it is Home Assistant that answers",
        (
            Cause(
                "cloudflare_challenge",
                _FAILED,
                _NO_LINK + " The browser works. Log: “Something in front of Home "
                "Assistant refused the request”",
                "Cloudflare takes the caller for a robot and shows a puzzle, which "
                "neither Amazon nor the function can solve.",
                "In Cloudflare’s dashboard switch Security → Bots → Bot Fight Mode "
                "off, or allow Amazon’s networks under Security → WAF → Tools → IP "
                "Access Rules:",
                "AS16509  Allow\nAS14618  Allow",
            ),
            Cause(
                "cloudflare_blocked",
                _FAILED,
                _NO_LINK + " A page with “error code: 1020”",
                "A rule of your Cloudflare firewall blocks the caller, by country or "
                "by kind.",
                "Find the rule under Security → Events, and let Amazon pass: the "
                "United States and Ireland, or its networks AS16509 and AS14618.",
            ),
            Cause(
                "cloudflare_access",
                _FAILED,
                _NO_LINK + " The browser asks to log in at cloudflareaccess.com",
                "Cloudflare Access wants a login that Amazon does not have.",
                "Add an Access application with the policy Bypass, Everyone, for "
                "these paths; Home Assistant checks the token itself:",
                "{host}/api/alexa/smart_home\n{host}/auth/token",
            ),
            Cause(
                "basic_auth",
                _FAILED,
                _NO_LINK + " The browser asks for a user name in a small window",
                "The proxy wants a password of its own, and takes the header in which "
                "Alexa’s token has to stand.",
                "Take the password off in the proxy for these paths:",
                "/api/alexa/smart_home\n/auth/",
            ),
            Cause(
                "limited",
                _FAILED,
                _NO_ANSWER + " Log: RATE_LIMIT_EXCEEDED",
                "Something in front of Home Assistant counts requests and has had "
                "enough.",
                "Wait, and raise the limit of the proxy or firewall for "
                "/api/alexa/smart_home.",
            ),
            Cause(
                "page",
                _FAILED,
                _NO_LINK + " Log: “The answer is not an Alexa event”, 403 or 404",
                "A web page answers: a router, a proxy’s own page, a login page, or "
                "another program.",
                "Open the address in a browser on mobile data. Forward the port to "
                "Home Assistant and not to the router’s own page; in a proxy, check "
                "that the name {host} leads to Home Assistant.",
            ),
            Cause(
                "other",
                _FAILED,
                _LAMBDA_TEST + "“The server answered with an unexpected HTTP status”",
                "What answers does not answer as Home Assistant does.",
                "Open the address in a browser on mobile data, and check that BASE_URL "
                "leads to Home Assistant.",
            ),
        ),
    ),
    Link(
        "ha.trusted_proxies",
        "Home Assistant accepts its proxy",
        (
            Cause(
                "not_trusted",
                _FAILED,
                "“400: Bad Request” for everything from outside; at home it works",
                "The request came through a proxy that Home Assistant does not know. "
                "Its log has the proxy’s address: “A request from a reverse proxy was "
                "received from …”.",
                "Since Home Assistant 2026.8: Settings → System → Network, switch on "
                "the trust in proxies and add that address. Before 2026.8, with your "
                "proxy’s address, in configuration.yaml, then restart:",
                "http:\n  use_x_forwarded_for: true\n  trusted_proxies:\n"
                "    - 172.30.33.0/24",
            ),
        ),
    ),
    Link(
        "ha.banned",
        "Home Assistant has not banned the caller",
        (
            Cause(
                "banned",
                _FAILED,
                "“403: Forbidden” for everything; linking stopped after some tries",
                "Too many failed logins came from this address, or from a proxy that "
                "hides who calls: then everybody is banned.",
                "Remove the address from ip_bans.yaml beside configuration.yaml, and "
                "restart Home Assistant. Behind a proxy set up trusted_proxies first.",
            ),
        ),
    ),
    Link(
        "ha.smart_home",
        "Home Assistant has its Alexa endpoint",
        (
            Cause(
                "missing",
                _FAILED,
                _LAMBDA_TEST
                + "“404: Not Found”, “Home Assistant has no Alexa endpoint”",
                "Home Assistant is there, but its Alexa part is not: not configured, "
                "still starting, or BASE_URL has a path that is wrong.",
                "Put these two lines into configuration.yaml, at the top level and not "
                "under api: or cloud:, and restart Home Assistant:",
                _YAML,
            ),
            Cause(
                "error",
                _FAILED,
                _LAMBDA_TEST + "“500 Internal Server Error”",
                "Home Assistant stumbled over its own Alexa part.",
                "Read its log under Settings → System → Logs; often it is one entity.",
            ),
        ),
    ),
)

TOKEN: Final = (
    Link(
        "token.kind",
        "the token is one of Home Assistant’s",
        (
            Cause(
                "amazon",
                _FAILED,
                _LAMBDA_TEST + "401, INVALID_AUTHORIZATION_CREDENTIAL",
                "This is a token of Amazon’s. The skill was linked with “Login with "
                "Amazon”, or the wrong text was copied. It was not sent.",
                "Link the account with Home Assistant: in the Alexa console, Account "
                "Linking, set these two, and make a token in your Home Assistant "
                "profile for this check:",
                "https://{host}/auth/authorize\nhttps://{host}/auth/token",
            ),
            Cause(
                "not_a_token",
                _FAILED,
                _LAMBDA_TEST + "401, INVALID_AUTHORIZATION_CREDENTIAL",
                "An API password or some other text; Home Assistant’s tokens are long "
                "and have two dots. It was not sent.",
                "Create a token in Home Assistant: your profile, Security, Long-lived "
                "access tokens, and set:",
                "LONG_LIVED_ACCESS_TOKEN=eyJ…",
            ),
            Cause(
                "foreign",
                _FAILED,
                _LAMBDA_TEST + "401, INVALID_AUTHORIZATION_CREDENTIAL",
                "It is a token, but somebody else’s: Home Assistant’s are signed with "
                "HS256 and name who they are for. It was not sent.",
                "Create a token in Home Assistant: your profile, Security, Long-lived "
                "access tokens, and set:",
                "LONG_LIVED_ACCESS_TOKEN=eyJ…",
            ),
        ),
    ),
    Link(
        "token.expired",
        "the token has not expired",
        (
            Cause(
                "expired",
                _FAILED,
                _LAMBDA_TEST + "EXPIRED_AUTHORIZATION_CREDENTIAL",
                "Tokens of account linking last half an hour; Alexa renews them by "
                "herself, a copy of one ends. It was not sent.",
                "For this check create one in Home Assistant: your profile, Security, "
                "Long-lived access tokens. If Alexa’s own have expired, disable and "
                "enable the skill.",
            ),
        ),
    ),
    Link(
        "token.accepted",
        "Home Assistant accepts the token",
        (
            Cause(
                "refused",
                _FAILED,
                _LAMBDA_TEST + "“401: Unauthorized”, INVALID_AUTHORIZATION_CREDENTIAL",
                "The token was deleted, is another Home Assistant’s, or its user is "
                "inactive or limited to local access. This counted as one failed "
                "login.",
                "Create a new token, as a user who may log in from outside (Settings → "
                "People → Users, “Local access only” off); in the Alexa app disable "
                "and enable the skill.",
            ),
            Cause(
                "blocked",
                _FAILED,
                "Log: “Something in front of Home Assistant refused the request”",
                "Without a token the way was open; with it, something in front of Home "
                "Assistant said no.",
                "Let POST requests with an Authorization header pass the proxy or "
                "firewall at /api/alexa/smart_home.",
            ),
        ),
    ),
)

DISCOVERY: Final = (
    Link(
        "discovery.count",
        "there are devices, and no more than Alexa takes",
        (
            Cause(
                "none",
                _FAILED,
                _NO_DEVICES,
                "Home Assistant offers Alexa nothing: the filter lets nothing pass, or "
                "there is nothing that Alexa can use.",
                "Look at filter: under alexa: smart_home: in configuration.yaml; for a "
                "try let all lights pass, and restart:",
                "alexa:\n  smart_home:\n    filter:\n      include_domains:\n"
                "        - light",
            ),
            Cause(
                "too_many",
                _FAILED,
                _NO_DEVICES + " Or new ones never appear",
                "Alexa takes 300 devices of a customer; beyond that it may drop the "
                "whole list.",
                "Offer only what you talk to, with a filter, and restart:",
                "alexa:\n  smart_home:\n    filter:\n      include_domains:\n"
                "        - light\n        - switch",
            ),
            Cause(
                "error",
                _FAILED,
                _NO_DEVICES + " Log: “Home Assistant failed while it handled the "
                "directive”",
                "Home Assistant could not make the list, often for one entity.",
                "Read Home Assistant’s log (Settings → System → Logs), and filter that "
                "entity out under alexa: smart_home: filter: exclude_entities.",
            ),
            Cause(
                "timeout",
                _FAILED,
                _NO_DEVICES + " Log: “Home Assistant did not answer in time”",
                "The list took longer than Alexa waits.",
                "Offer fewer entities with a filter, and look at the load of Home "
                "Assistant’s machine.",
            ),
            Cause(
                "not_an_answer",
                _FAILED,
                _NO_DEVICES + " Log: “The answer is not an Alexa event”",
                "The answer to Discovery is not what Alexa understands.",
                "Update Home Assistant, and look for a proxy that changes answers.",
            ),
        ),
    ),
    Link(
        "discovery.endpoints",
        "each device is described as Alexa wants it",
        (
            Cause(
                "bad_id",
                _FAILED,
                _NO_DEVICES + " Or one device never appears",
                "Alexa takes ids of up to 256 letters, digits and _-=#;:?@& only.",
                "Rename the entity in Home Assistant, or filter it out.",
            ),
            Cause(
                "same_id",
                _FAILED,
                _NO_DEVICES + " Or one device never appears",
                "Two devices have the same id; Alexa knows them apart by nothing else.",
                "Rename one of the entities in Home Assistant.",
            ),
            Cause(
                "bad_name",
                _FAILED,
                _NO_DEVICES + " Or one device never appears",
                "A name must have 1 to 128 characters.",
                "Give it a name under alexa: smart_home: entity_config:, and restart:",
                "alexa:\n  smart_home:\n    entity_config:\n      {entity}:\n"
                "        name: Desk lamp",
            ),
            Cause(
                "capabilities",
                _FAILED,
                _NO_DEVICES + " Or one device never appears",
                "A device must be able to do 1 to 100 things.",
                "Filter the entity out:",
                "alexa:\n  smart_home:\n    filter:\n      exclude_entities:\n"
                "        - {entity}",
            ),
            Cause(
                "category",
                _WARNING,
                "A device has no or a wrong icon, or does not appear",
                "Without a category Alexa does not know what it is.",
                "Give it one, or filter it out, and restart:",
                "alexa:\n  smart_home:\n    entity_config:\n      {entity}:\n"
                "        display_categories: OTHER",
            ),
        ),
    ),
    Link(
        "discovery.duplicate_names",
        "no two devices have the same name",
        (
            Cause(
                "duplicates",
                _WARNING,
                "Alexa: “More than one device has that name.”",
                "Alexa cannot know which one you mean.",
                "Rename one of them, in Home Assistant or in the Alexa app. If Alexa "
                "has them by a second way too (Matter, Nabu Casa), use one way.",
            ),
        ),
    ),
    Link(
        "discovery.size",
        "the list is small enough for Lambda",
        (
            Cause(
                "too_large",
                _FAILED,
                _NO_DEVICES + " Log: “The answer is larger than Lambda may return”",
                "Lambda passes on 6 MB and not more.",
                "Offer fewer entities, with filter: under alexa: smart_home:.",
            ),
            Cause(
                "large",
                _WARNING,
                "None yet.",
                "Lambda passes on 6 MB and not more; a few devices more and Alexa "
                "finds none.",
                "Offer fewer entities, with filter: under alexa: smart_home:.",
            ),
        ),
    ),
)

DIRECTIVE: Final = (
    Link(
        "directive.report_state",
        "devices report their state",
        (
            Cause(
                "failed",
                _FAILED,
                _NO_ANSWER + " Alexa app: “Device is unresponsive”",
                "Home Assistant listed the device, yet cannot say how it is.",
                "Read Home Assistant’s log (Settings → System → Logs) for {entity}; "
                "mend it, or filter it out.",
            ),
        ),
    ),
    Link(
        "directive.time",
        "the answer comes long before Alexa hangs up",
        (
            Cause(
                "too_slow",
                _FAILED,
                _NO_ANSWER + " The light may switch all the same",
                "Alexa hangs up after 8 s, and the function stops waiting after 7.",
                "The longest part is the one to mend: {longest}.",
            ),
            Cause(
                "slow",
                _WARNING,
                "Alexa takes her time, and sometimes says “… is not responding”",
                "From AWS and at a cold start it takes longer still; Alexa hangs up "
                "after 8 s.",
                "The longest part is the one to mend: {longest}.",
            ),
        ),
    ),
)

LINKING: Final = (
    Link(
        "link.client_id",
        "the client id is that of your marketplace",
        (
            Cause(
                "other_host",
                _FAILED,
                "Home Assistant’s login page: “Invalid client id or redirect uri”",
                "Home Assistant compares the host of the client id with the one that "
                "Amazon returns to, and for {locale} that is {redirect_host}.",
                "In the Alexa console, Account Linking, set “Your Client ID” to",
                "{client_id}",
            ),
            Cause(
                "not_an_address",
                _FAILED,
                "Home Assistant’s login page: “Invalid client id or redirect uri”",
                "For Home Assistant a client id is an address; Amazon’s own ids are "
                "for other things.",
                "In the Alexa console, Account Linking, set “Your Client ID” to",
                "{client_id}",
            ),
            Cause(
                "spelling",
                _WARNING,
                _NO_LINK,
                "It differs only in how it is written, such as a missing slash at the "
                "end. Home Assistant wants the very same text twice.",
                "To be sure, set “Your Client ID” in the Alexa console to",
                "{client_id}",
            ),
        ),
    ),
    Link(
        "link.authorize",
        "Home Assistant shows its login page",
        (
            Cause(
                "no_page",
                _FAILED,
                _NO_LINK + " The Alexa app shows an error in place of a login page",
                "The page at which your phone asks for your password does not come.",
                "Let /auth/ and /frontend_latest/ pass the proxy or firewall, and set "
                "“Your Web Authorization URI” in the Alexa console to",
                "https://{host}/auth/authorize",
            ),
            Cause(
                "not_set_up",
                _FAILED,
                _NO_LINK,
                "Home Assistant has no user yet.",
                "Open its address in a browser and go through the first steps.",
            ),
            Cause(
                "no_password",
                _FAILED,
                _NO_LINK,
                "Home Assistant offers no login with user and password, so this check "
                "cannot go on, and Alexa may not be able to either.",
                "Let the list in configuration.yaml contain it, and restart:",
                "homeassistant:\n  auth_providers:\n    - type: homeassistant",
            ),
            Cause(
                "trusted_networks",
                _WARNING,
                _NO_LINK + " Only on the home’s own Wi-Fi",
                "Home Assistant’s first way to log in is trusted_networks; with it "
                "linking has been reported to fail at home.",
                "Link over mobile data, or put homeassistant first and restart:",
                "homeassistant:\n  auth_providers:\n    - type: homeassistant\n"
                "    - type: trusted_networks",
            ),
        ),
    ),
    Link(
        "link.login",
        "a login is accepted, for Amazon’s address",
        (
            Cause(
                "wrong_password",
                _FAILED,
                "Home Assistant’s login page: “Invalid username or password”",
                "It counted as one failed login, and was not tried again: too many "
                "lead to a ban.",
                "Try user and password in the browser first.",
            ),
            Cause(
                "wrong_code",
                _FAILED,
                "Home Assistant’s login page: “Invalid code”",
                "The user has multi-factor authentication, and the code was not the "
                "right one. Alexa’s login page asks for it too, and that works.",
                "Run the check again with a fresh code; mind the clock of the phone.",
            ),
            Cause(
                "redirect",
                _FAILED,
                "Home Assistant’s login page: “Invalid client id or redirect uri”",
                "Home Assistant does not give a code to {redirect_host}.",
                "In the Alexa console, Account Linking, set “Your Client ID” to",
                "{client_id}",
            ),
            Cause(
                "user_blocked",
                _FAILED,
                _NO_LINK + " Home Assistant: “Login blocked”",
                "This user may log in at home only, or is inactive.",
                "As an administrator: Settings → People → Users, switch “Local access "
                "only” off; or link with another user.",
            ),
            Cause(
                "banned",
                _FAILED,
                _NO_LINK + " “403: Forbidden”",
                "Home Assistant has banned the address that this came from, after too "
                "many failed logins.",
                "Remove it from ip_bans.yaml beside configuration.yaml, and restart "
                "Home Assistant. Behind a proxy set up trusted_proxies first.",
            ),
            Cause(
                "address_changed",
                _FAILED,
                _NO_LINK + " Home Assistant: “IP address changed”",
                "Two requests of one login came from different addresses, by a proxy "
                "or a provider that changes them.",
                "Set up trusted_proxies, so that Home Assistant sees who calls.",
            ),
            Cause(
                "other",
                _FAILED,
                _NO_LINK,
                "Home Assistant did not let the login through.",
                "Its log has the reason: Settings → System → Logs.",
            ),
        ),
    ),
    Link(
        "link.token",
        "the code is exchanged for a token",
        (
            Cause(
                "basic",
                _FAILED,
                _NO_LINK + " after a login that worked",
                "The client id did not arrive in the body of the request. Alexa sends "
                "it there only if told to.",
                "In the Alexa console, Account Linking, set “Your Authentication "
                "Scheme” to",
                "Credentials in request body",
            ),
            Cause(
                "code",
                _FAILED,
                _NO_LINK + " after a login that worked",
                "Home Assistant does not know the code any more: it was restarted, or "
                "there are two of them behind one name.",
                "Try again; let the name lead to one Home Assistant only.",
            ),
            Cause(
                "user_blocked",
                _FAILED,
                _NO_LINK + " after a login that worked",
                "The user may log in at home only, or is inactive.",
                "As an administrator: Settings → People → Users, switch “Local access "
                "only” off; or link with another user.",
            ),
            Cause(
                "banned",
                _FAILED,
                _NO_LINK + " after a login that worked",
                "Home Assistant has banned the address that this came from.",
                "Remove it from ip_bans.yaml beside configuration.yaml, and restart "
                "Home Assistant.",
            ),
            Cause(
                "slow",
                _WARNING,
                _NO_LINK + " Now and then",
                "Amazon waits 4.5 s for a token.",
                "Look at the load of Home Assistant’s machine, and at the line.",
            ),
            Cause(
                "other",
                _FAILED,
                _NO_LINK + " after a login that worked",
                "Amazon’s servers ask for the token at /auth/token, without a browser "
                "and from the United States or Ireland.",
                "Let that path pass the proxy or firewall, and set “Your Access Token "
                "URI” in the Alexa console to",
                "https://{host}/auth/token",
            ),
        ),
    ),
    Link(
        "link.refresh",
        "the token can be used, and renewed",
        (
            Cause(
                "not_renewed",
                _FAILED,
                "It works for half an hour, then every device is unresponsive",
                "Tokens last 30 minutes, and Home Assistant did not renew this one.",
                "Let POST requests to /auth/token pass the proxy or firewall, and read "
                "Home Assistant’s log: Settings → System → Logs.",
            ),
            Cause(
                "not_accepted",
                _FAILED,
                _NO_ANSWER + " Right after linking",
                "Home Assistant gave a token and does not accept it.",
                "Look for a proxy that takes the Authorization header away, and use a "
                "user who may log in from outside.",
            ),
        ),
    ),
)

AWS: Final = (
    Link(
        "aws.credentials",
        "AWS lets us look",
        (
            Cause(
                "boto3",
                _FAILED,
                "None; this is about the check.",
                "Without boto3 nothing can be asked of AWS.",
                "Install all that the project uses, boto3 too, into its environment:",
                "make install",
            ),
            Cause(
                "none",
                _FAILED,
                "None; this is about the check.",
                "AWS was not asked, or did not know who asks.",
                "Log in as for the AWS command line, then check again:",
                "aws configure",
            ),
            Cause(
                "refused",
                _FAILED,
                "None; this is about the check.",
                "AWS knows these credentials no longer, or not at all.",
                "Log in anew:",
                "aws sso login",
            ),
        ),
    ),
    Link(
        "aws.function",
        "the function is there",
        (
            Cause(
                "missing",
                _FAILED,
                _NO_DEVICES + " No log group in CloudWatch",
                "There is no such function in Alexa’s three regions.",
                "Name it with --function and --region, or deploy it; na, eu or fe is "
                "the part of the world that your Amazon account belongs to:",
                "sam build && sam deploy --config-env {env} "
                "--parameter-overrides BaseUrl={base_url}",
            ),
            Cause(
                "several",
                _FAILED,
                "None; this is about the check.",
                "More than one function looks like this bridge.",
                "Say which one you mean:",
                "ha-bridge check --aws --region {region} --function {name}",
            ),
            Cause(
                "refused",
                _FAILED,
                "None; this is about the check.",
                "These credentials may not look at functions, or not in each of the "
                "regions where yours may be.",
                "Use a user or role that may read Lambda, such as one with the policy "
                "AWSLambda_ReadOnlyAccess, or say where the function is with "
                "--function and --region.",
            ),
        ),
    ),
    Link(
        "aws.region",
        "the function is where Alexa looks for it",
        (
            Cause(
                "not_alexas",
                _FAILED,
                _NO_DEVICES + " “Alexa Smart Home” is missing in the list of triggers",
                "Alexa calls functions in us-east-1, eu-west-1 and us-west-2 only, and "
                "says nothing about others.",
                "Deploy into the region of the marketplace that your Amazon account "
                "belongs to, and give its ARN to the skill:",
                "sam build && sam deploy --config-env {env} "
                "--parameter-overrides BaseUrl={base_url}",
            ),
            Cause(
                "other",
                _FAILED,
                _NO_DEVICES + " The function is never called",
                "Alexa calls the function in the region of your Amazon account’s "
                "marketplace, which is not this one. Where you live does not count.",
                "Deploy into that region, and give its ARN to the skill:",
                "sam build && sam deploy --config-env {env} "
                "--parameter-overrides BaseUrl={base_url}",
            ),
        ),
    ),
    Link(
        "aws.trigger",
        "Alexa may call the function",
        (
            Cause(
                "none",
                _FAILED,
                "Alexa console: “Please make sure that ‘Alexa Smart Home’ is selected "
                "for the event source type”",
                "Nobody has allowed Alexa to call the function, so she never does.",
                "Let it be done, or choose “Alexa” → “Alexa Smart Home” as a trigger "
                "in the Lambda console:",
                "ha-bridge check --fix aws.trigger{which} --skill-id {skill}",
            ),
            Cause(
                "appkit",
                _FAILED,
                "Alexa console: “Please make sure that ‘Alexa Smart Home’ is selected "
                "for the event source type”",
                "The trigger is for custom skills (alexa-appkit); smart home skills "
                "call as alexa-connectedhome. SAM’s event AlexaSkill makes this.",
                "Add the right one, and delete the other in the Lambda console:",
                "ha-bridge check --fix aws.trigger{which} --skill-id {skill}",
            ),
            Cause(
                "other_skill",
                _FAILED,
                _NO_DEVICES + " The function is never called",
                "The trigger is for another skill: perhaps a digit is missing.",
                "Compare the skill id with the one in the Alexa developer console, and "
                "add the right one:",
                "ha-bridge check --fix aws.trigger{which} --skill-id {skill}",
            ),
            Cause(
                "malformed",
                _FAILED,
                _NO_DEVICES + " The function is never called",
                "The skill id in the trigger cannot be one: they are amzn1.ask.skill. "
                "and 36 digits, letters and hyphens.",
                "Copy the skill id from the Alexa developer console, and add it:",
                "ha-bridge check --fix aws.trigger{which} --skill-id {skill}",
            ),
            Cause(
                "any_skill",
                _WARNING,
                "None; it works.",
                "Any skill that knows the function’s ARN may call it.",
                "Delete the trigger in the Lambda console, and add one for your skill:",
                "ha-bridge check --fix aws.trigger{which} --skill-id {skill}",
            ),
            Cause(
                "also_any_skill",
                _WARNING,
                "None; it works.",
                "Your skill may call the function, and so may any other that knows its "
                "ARN: one of the triggers asks for no skill id.",
                "Delete that one in the Lambda console under Configuration → Triggers; "
                "the one with your skill id stays.",
            ),
        ),
    ),
    Link(
        "aws.timeout",
        "the function has time enough",
        (
            Cause(
                "short",
                _FAILED,
                _NO_ANSWER + " Log: “Task timed out after 3.00 seconds”",
                "Lambda ends the function before Home Assistant has answered, and the "
                "log does not tell why. Alexa waits 8 s.",
                "Let it be set to 9 s:",
                "ha-bridge check --fix aws.timeout{which}",
            ),
        ),
    ),
    Link(
        "aws.memory",
        "the function has memory enough",
        (
            Cause(
                "small",
                _WARNING,
                "Alexa takes her time, most of all after a while of silence",
                "With the memory goes the processor: below 256 MB a cold start and TLS "
                "take long.",
                "Let it be set to 256 MB:",
                "ha-bridge check --fix aws.memory{which}",
            ),
        ),
    ),
    Link(
        "aws.runtime",
        "the function’s Python is supported",
        (
            Cause(
                "ended",
                _FAILED,
                "A mail of AWS about a deprecated runtime; Log: “Runtime.ImportModule"
                "Error”",
                "AWS gives this Python no security updates any more, and soon takes "
                "no changes to the function.",
                "Deploy this version, which has a newer one:",
                "sam build && sam deploy --config-env {env}",
            ),
            Cause(
                "ends",
                _WARNING,
                "A mail of AWS about a deprecated runtime",
                "AWS will soon give this Python no security updates any more.",
                "Deploy this version, which has a newer one:",
                "sam build && sam deploy --config-env {env}",
            ),
            Cause(
                "not_python",
                _FAILED,
                _LAMBDA_TEST + "“Runtime.HandlerNotFound”",
                "This function cannot run the bridge, or is another one.",
                "Name the right one with --function, or deploy it:",
                "sam build && sam deploy --config-env {env} "
                "--parameter-overrides BaseUrl={base_url}",
            ),
        ),
    ),
    Link(
        "aws.environment",
        "the function’s variables are those checked here",
        (
            Cause(
                "missing",
                _FAILED,
                _LAMBDA_TEST + "“BASE_URL is not set”",
                "The function does not know where Home Assistant is.",
                "In the Lambda console under Configuration → Environment variables:",
                "BASE_URL = {base_url}",
            ),
            Cause(
                "malformed",
                _FAILED,
                _LAMBDA_TEST + "“A setting of the function is wrong”",
                "The function answers every directive with INTERNAL_ERROR.",
                "Correct it in the Lambda console under Configuration → Environment "
                "variables.",
            ),
            Cause(
                "differs",
                _WARNING,
                "The check is fine, Alexa is not",
                "What was checked here is not what the function uses.",
                "Check what the function uses, or set it in the Lambda console under "
                "Configuration → Environment variables:",
                "ha-bridge check --base-url {theirs}",
            ),
            Cause(
                "not_verify_ssl",
                _WARNING,
                "None; it works.",
                "The function does not check the certificate: whoever sits on the way "
                "can read the token.",
                "Delete NOT_VERIFY_SSL in the Lambda console, once the certificate is "
                "trusted.",
            ),
            Cause(
                "debug",
                _WARNING,
                "None; it works, and CloudWatch holds much.",
                "The function logs each directive and answer.",
                "Delete DEBUG in the Lambda console when you have seen enough.",
            ),
            Cause(
                "token_left",
                _WARNING,
                "None; tests in the Lambda console work without a linked account.",
                "LONG_LIVED_ACCESS_TOKEN was left behind: whoever may invoke or read "
                "the function can control your home.",
                "Let it be deleted:",
                "ha-bridge check --fix aws.environment{which}",
            ),
        ),
    ),
    Link(
        "aws.role",
        "the function may do no more than it has to",
        (
            Cause(
                "broad",
                _WARNING,
                "None; it works.",
                "The function needs nothing but to write its log. With more, a mistake "
                "in it could cost more.",
                "In the IAM console leave the role only this policy, and the one for "
                "its secret if you keep one:",
                "AWSLambdaBasicExecutionRole",
            ),
        ),
    ),
    Link(
        "aws.logs",
        "the last day went well",
        (
            Cause(
                "no_calls",
                _WARNING,
                _NO_DEVICES + " Or the account cannot be linked",
                "The function was not called for a day: Alexa does not get so far. The "
                "cause lies before it: trigger, region, the skill’s endpoint, or "
                "account linking.",
                "Look at aws.trigger and aws.region above, check account linking, and "
                "say “Alexa, discover my devices”:",
                "ha-bridge check --link --locale en-US",
            ),
            Cause(
                "errors",
                _WARNING,
                _NO_ANSWER,
                "Some directives failed; each line of the log names cause and fix.",
                "Read the lines with “ERROR” in CloudWatch:",
                "aws logs tail {group} --since 1d --region {region}",
            ),
            Cause(
                "timed_out",
                _FAILED,
                _NO_ANSWER + " Log: “Task timed out”",
                "Lambda ended the function before it had answered.",
                "If aws.timeout is fine, update the function: this version answers in "
                "time.",
            ),
            Cause(
                "cannot_load",
                _FAILED,
                _NO_ANSWER + " Log: “Runtime.ImportModuleError”",
                "The function cannot even start: a file is missing, or the handler has "
                "another name.",
                "Deploy it anew; the handler is lambda_function.lambda_handler:",
                "sam build && sam deploy --config-env {env}",
            ),
            Cause(
                "tokens",
                _FAILED,
                "None; but tokens of your home stand in CloudWatch",
                "An older script logged whole events. Whoever reads the log can "
                "control your home until the tokens expire.",
                "Update the function, delete long-lived tokens in your Home Assistant "
                "profile, and then what was logged; the log group itself stays:",
                "aws logs describe-log-streams --log-group-name {group} "
                "--region {region} --query 'logStreams[].[logStreamName]' "
                "--output text | while read -r stream; do aws logs delete-log-stream "
                "--log-group-name {group} --region {region} "
                '--log-stream-name "$stream"; done',
            ),
            Cause(
                "throttled",
                _WARNING,
                "Works at night, fails when a routine does much at once",
                "AWS turned calls away: too many at once for this account.",
                "Ask for a higher quota “Concurrent executions” in the console under "
                "Service Quotas → AWS Lambda.",
            ),
        ),
    ),
    Link(
        "aws.probe",
        "the function reaches Home Assistant",
        (
            Cause(
                "only_from_aws",
                _FAILED,
                "Works from home and in the browser, yet " + _NO_ANSWER,
                "It works from here and fails from AWS. {means}",
                "{fix}",
                "{paste}",
            ),
            Cause(
                "from_both",
                _FAILED,
                _NO_ANSWER,
                "It fails from AWS as it does from here. {means}",
                "{fix}",
                "{paste}",
            ),
            Cause(
                "warned",
                _WARNING,
                "None yet.",
                "Seen from AWS: {means}",
                "{fix}",
                "{paste}",
            ),
            Cause(
                "outdated",
                _WARNING,
                "None; this is about the check.",
                "The function does not know this question: it is an older one or "
                "another script.",
                "Deploy this version, which answers it:",
                "sam build && sam deploy --config-env {env}",
            ),
            Cause(
                "failed",
                _FAILED,
                _NO_ANSWER + " Log: an error of the function",
                "The function could not even look.",
                "Read its log:",
                "aws logs tail {group} --since 1h --region {region}",
            ),
        ),
    ),
)

#: Always looked at, in this order.
CHAIN: Final = (
    *SETTINGS,
    *ADDRESS,
    *TLS,
    *HOME,
    *TOKEN,
    *DISCOVERY,
    *DIRECTIVE,
)

#: All there is.
EVERY: Final = (*CHAIN, *LINKING, *AWS)

#: Heading of each part of the chain, by the first half of its ids.
PARTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "settings": "Settings",
        "address": "Address",
        "tls": "Certificate",
        "ha": "Home Assistant",
        "token": "Token",
        "discovery": "Discovery",
        "directive": "Directives",
        "link": "Account linking",
        "aws": "AWS",
    }
)
