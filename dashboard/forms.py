"""Forms about people. What may be stored is the domain's to say: its refusals come back in the form."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.password_validation import password_validators_help_texts
from django.forms.forms import BaseForm

from tracking.attempts import one_attempt
from tracking.errors import InvalidInput, NameTaken

NAME_ATTRS = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}


def style(form: BaseForm) -> None:
    for field in form.fields.values():
        field.widget.attrs["class"] = "text-field"
        field.label_suffix = ""


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "This user name and password do not go together. Capitals count in both.",
        "inactive": "This account is not active. Ask an administrator.",
        "service": "This account is for programs: they come with a token. Sign in as yourself.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"
        self.fields["username"].widget.attrs |= NAME_ATTRS
        style(self)

    def clean(self) -> dict[str, Any]:
        with one_attempt(self.request, self.cleaned_data.get("username", "")):
            return super().clean()

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        super().confirm_login_allowed(user)
        if getattr(user, "is_service", False):
            raise forms.ValidationError(self.error_messages["service"], code="service")


class VerbForm(forms.Form):
    """A form that is one call into the domain."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        style(self)

    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)

    def done(self, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        """Whether the form was good and the verb took it; if not, the reasons stand in the form."""
        if not (self.is_bound and self.is_valid()):
            return False
        try:
            self.result = verb(*args, **self.values(), **kwargs)
        except (InvalidInput, NameTaken) as error:
            field = getattr(error, "field", "")
            self.add_error(field if field in self.fields else None, str(error))
            return False
        return True


class AccountForm(VerbForm):
    """A new account: name, e-mail address, and the password twice."""

    username = forms.CharField(
        label="User name",
        max_length=150,
        help_text="Letters, digits and @ . + - _",
        widget=forms.TextInput(NAME_ATTRS | {"autofocus": True}),
    )
    email = forms.EmailField(
        label="E-mail", required=False, widget=forms.EmailInput({"autocomplete": "email"})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="Password again",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = " ".join(password_validators_help_texts())

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("password", again):
            raise forms.ValidationError("The two passwords are not the same.")
        return again

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("username", "email", "password")}


class ProfileForm(VerbForm):
    first_name = forms.CharField(label="First name", required=False, max_length=150)
    last_name = forms.CharField(label="Last name", required=False, max_length=150)
    email = forms.EmailField(label="E-mail", required=False)


class PasswordForm(PasswordChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "Password now"
        self.fields["new_password1"].label = "New password"
        self.fields["new_password1"].help_text = " ".join(password_validators_help_texts())
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""
        style(self)


class InvitationForm(VerbForm):
    """To a project, with a role there; administrators may invite to no project at all."""

    email = forms.EmailField(
        label="E-mail",
        required=False,
        widget=forms.EmailInput({"placeholder": "Anybody with the link", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(choices=[("viewer", "Viewer"), ("editor", "Editor")])
