//! Currencies by ISO 4217, and the minor units in which systems give amounts.
//!
//! Services that take payments say "minor unit" and mean their own: what was a hundredth once stays
//! one in their interfaces. A source names whose unit it means.

use crate::choices::choices;

/// The codes of ISO 4217: those in use (the one of three X is "no currency"), and those that were
/// since 1990, for what happened then.
const CURRENCIES: &str = "\
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW \
CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF \
IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP \
MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG \
SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND \
VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG";

/// Currencies that are no longer in use: list three.
const WITHDRAWN: &str = "\
AFA AON AOR ATS AZM BEF BGL BYB BYR CSD CUC CYP DEM ECS EEK ESP FIM FRF GHC GRD GWP HRK IEP ITL LTL LUF LVL MGF MRO MTL MXP \
MZM NLG PLZ PTE ROL RUR SDD SIT SKK SLL SRG STD TJR TMM TPE TRL UAK VEB VEF XEU YUM ZAL ZMK ZRN ZWD ZWL ZWR";

/// Withdrawn currencies of which it is known that their minor unit was a hundredth.
const WITHDRAWN_HUNDREDTHS: &str = "CUC EEK HRK LTL LVL MRO SKK SLL STD VEF ZWL";

/// Metals, units of account and codes for tests: they have no minor unit.
const WITHOUT_MINOR: &str = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX";

/// The currencies whose minor unit is no hundredth, by the number of digits of it.
const OTHER_DIGITS: [(u32, &str); 3] = [
    (
        0,
        "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

choices! {
    /// The unit of amounts that are whole numbers of a currency's minor unit.
    pub(crate) enum MinorUnits as "MinorUnits" {
        /// That of ISO 4217: cents of USD, whole yen of JPY, thousandths of KWD.
        Iso = "iso",
        /// Stripe's: hundredths of ISK and UGX, whole MGA, others by ISO 4217.
        Stripe = "stripe",
        /// Adyen's: hundredths of CLP and ISK, whole CVE and IDR, others by ISO 4217.
        Adyen = "adyen",
        /// `SumUp`'s: whole COP and HUF, others by ISO 4217.
        SumUp = "sumup",
    }
}

impl MinorUnits {
    /// Digits after the point of the minor unit of a currency: 2 of USD, 0 of JPY, 3 of KWD.
    /// `None`: it is no currency, or one whose minor unit is not known.
    ///
    /// Source: ISO 4217, list one, which does not have those that are withdrawn; of payment
    /// services <https://docs.stripe.com/currencies#special-cases>,
    /// <https://docs.adyen.com/development-resources/currency-codes>,
    /// <https://developer.sumup.com/tools/glossary/currencies/>.
    pub(crate) fn digits(self, code: &str) -> Option<u32> {
        let (whole, hundredths) = match self {
            Self::Iso => ("", ""),
            Self::Stripe => ("MGA", "ISK UGX"),
            Self::Adyen => ("CVE IDR", "CLP ISK"),
            Self::SumUp => ("COP HUF", ""),
        };
        if lists(whole, code) {
            return Some(0);
        }
        if lists(hundredths, code) {
            return Some(2);
        }
        let other = OTHER_DIGITS.iter().find(|(_, codes)| lists(codes, code));
        let hundredths = (lists(CURRENCIES, code) && !lists(WITHOUT_MINOR, code))
            || lists(WITHDRAWN_HUNDREDTHS, code);
        match other {
            Some((digits, _)) => Some(*digits),
            None => hundredths.then_some(2),
        }
    }
}

fn lists(codes: &str, code: &str) -> bool {
    codes
        .split_ascii_whitespace()
        .any(|known| known.eq_ignore_ascii_case(code))
}

/// Whether a text is a currency's code, in upper or lower case.
#[must_use]
pub(crate) fn is_currency(code: &str) -> bool {
    lists(CURRENCIES, code) || lists(WITHDRAWN, code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_are_those_of_whom_the_source_names() {
        use MinorUnits as M;
        for (units, code, digits) in [
            (M::Iso, "USD", Some(2)),
            (M::Iso, "jpy", Some(0)),
            (M::Iso, "KWD", Some(3)),
            (M::Iso, "CLF", Some(4)),
            (M::Iso, "ISK", Some(0)),
            (M::Iso, "MGA", Some(2)),
            (M::Stripe, "ISK", Some(2)),
            (M::Stripe, "ugx", Some(2)),
            (M::Stripe, "MGA", Some(0)),
            (M::Stripe, "TWD", Some(2)),
            (M::Stripe, "BHD", Some(3)),
            (M::Adyen, "CLP", Some(2)),
            (M::Adyen, "IDR", Some(0)),
            (M::Adyen, "JPY", Some(0)),
            (M::SumUp, "HUF", Some(0)),
            (M::SumUp, "EUR", Some(2)),
            (M::Stripe, "XAU", None),
            (M::Stripe, "", None),
            (M::Iso, "US$", None),
        ] {
            assert_eq!(units.digits(code), digits, "{units:?} {code}");
        }
    }
}
